"""The model written a second time: one configuration, plain Python numbers, from its description. For tests only.

It shares nothing with the engine but the names, so that a slip in a formula has to be made twice to go unseen.
"""

from math import ceil, exp, floor, log2
from types import SimpleNamespace

NOISE = 1e-9


def soft(reading, arithmetic, softness):
    """The larger of two times; where softness is 1 the cube root of the sum of cubes."""
    hard = max(reading, arithmetic)
    return hard + softness * ((reading**3 + arithmetic**3) ** (1 / 3) - hard)


def memory(g):
    """Bytes: of the weights, of a token and of a sequence, and how many sequences fit."""
    mixture = g.experts > 1
    routed = g.routed_parameters * 1e9 * g.weight_bits / 8
    others = (g.total_parameters - g.routed_parameters) * 1e9
    others *= (g.mixture_dense_bits if mixture else g.weight_bits) / 8
    weights = g.weight_memory_override * 1e9 or others + routed
    layers = g.layers - g.linear_layers
    latent = g.kv_lora_rank > 0
    elements = g.kv_lora_rank + g.rope_dim if latent else 2 * g.kv_heads * g.head_dim
    per_token = g.kv_cache_override or elements * layers * g.kv_bits / 8
    windowed = g.window_layers / layers

    def kept(context):
        return (1 - windowed) * context + windowed * min(context, g.window)

    answer = g.output_tokens + g.reasoning_tokens
    middle = g.context_override or g.input_tokens + answer / 2
    end = g.context_override or g.input_tokens + answer
    ranks = g.tensor_parallel / g.attention_data_parallel
    copies = 1 + g.kv_copy_weight * ((ranks if latent else max(1, ranks / g.kv_heads)) - 1)
    sequence = (kept(middle) + g.reserved_growth * (kept(end) - kept(middle))) * per_token * copies
    everything = g.accelerator_memory * 1e9 * g.tensor_parallel * g.pipeline_stages
    free = max(everything * g.usable_memory_share - weights, g.tight_memory_share * (everything - weights), 0)
    limit = floor(free / (g.pipeline_stages * sequence) + NOISE)
    # No batch asked for fills a replica, and so does one that follows demand (below 0).
    full = min(limit, g.engine_batch_limit * g.attention_data_parallel)
    batch = g.requested_batch_size if g.requested_batch_size > 0 else full
    usable = g.accelerator_memory * 1e9 * g.usable_memory_share
    slice_of_two = 1
    while slice_of_two * usable < (weights + sequence) * (1 - NOISE):
        slice_of_two *= 2
    return SimpleNamespace(
        fewest=ceil(weights / usable - NOISE),
        slice_of_two=slice_of_two,
        weights=weights,
        routed=routed,
        per_token=per_token,
        layers=layers,
        latent=latent,
        copies=copies,
        kept=kept,
        middle=middle,
        answer=answer,
        sequence=sequence,
        limit=limit,
        batch=batch,
        fits=limit >= 1 and limit >= g.requested_batch_size and end <= g.maximum_context,
    )


def speed(g, m):
    """Seconds of a step, of a prompt, to the first token, and of a cycle in which every place serves one request."""
    n, compute, mixture = g.tensor_parallel, g.peak_compute * 1e12, g.experts > 1
    bandwidth = g.memory_bandwidth * 1e9
    touching = g.experts_per_token / g.experts
    outside = max(g.active_parameters - g.routed_parameters * touching, (g.total_parameters - g.routed_parameters) / 2)

    def reached(share, peak):
        return share * peak * (peak / 1e15) ** -g.compute_share_exponent

    def products(tokens, share):
        """Reading and arithmetic of the matrices: those every token meets, and the experts that are touched."""
        rate = n * reached(share, compute)
        narrow = g.narrow_weight_share if (g.mixture_dense_bits if mixture else g.weight_bits) < 8 else 1
        dense = (
            (m.weights - m.routed) / (n / g.attention_data_parallel * bandwidth * g.weight_bandwidth_share * narrow),
            2 * outside * 1e9 * tokens / (rate * narrow),
        )
        touched = 1 - (1 - touching) ** (tokens**g.routing_correlation) if touching < 1 else 1
        padded = tokens * touching + touched * g.expert_tile
        experts = (
            touched * m.routed / (n * bandwidth * g.weight_bandwidth_share * g.expert_bandwidth_share),
            2 * g.routed_parameters * 1e9 * padded / (rate * g.expert_compute_share),
        )
        return dense, experts

    def matrices(tokens, share):
        return sum(soft(*times, g.softness) for times in products(tokens, share))

    def sent(tokens):
        if n == g.pipeline_stages == 1:
            return 0
        one = tokens * g.hidden_size * 2 / (g.link_bandwidth * 1e9 * g.link_share)
        reduced = 2 * g.layers * 2 * (n - 1) / n * one
        handed_over = (g.pipeline_stages - 1) * one
        return (reduced + handed_over) * (1 - g.collective_overlap)

    waits = 2 * g.layers * log2(n) + (g.pipeline_stages - 1)
    latency = waits * g.collective_overhead * 1e-6 * (1 - g.collective_overlap)
    software = g.layers * (g.layer_overhead + (g.expert_layer_overhead if mixture else 0)) * 1e-6
    read = min(m.middle, g.sparse_tokens) + g.sparse_index_share * m.middle if g.sparse_tokens else m.kept(m.middle)
    met = g.attention_heads * (2 * g.kv_lora_rank + g.rope_dim if m.latent else 2 * g.head_dim)
    bf16 = g.bf16_compute * 1e12
    older = g.calibrated_year - g.engine_year if g.engine_year and g.calibrated_year else 0
    slower = g.time_factor * (1 + g.yearly_speed_up) ** older

    def step(batch):
        attention = soft(
            batch * read * m.per_token * m.copies / (n * bandwidth * g.kv_bandwidth_share),
            g.attention_weight
            * (2 * batch * read * met * m.layers)
            / (n * g.attention_compute_share * reached(g.decode_compute_share, bf16)),
            g.softness,
        )
        host = g.sequence_overhead * 1e-6 * batch / g.attention_data_parallel
        parts = matrices(batch, g.decode_compute_share) + attention + latency + sent(batch) + software + host
        return parts * slower

    fresh = g.input_tokens - g.cached_tokens
    before = m.batch - 1
    in_chunks, prefill_first, whole_batches = (g.scheduling == word for word in (1, 2, 3))
    whole_batches = whole_batches and g.shared_pool > 0
    queue = 1 + g.queue_onset_prompts * (1 - exp(-before / 3)) + g.queue_prompts_per_sequence * before
    if whole_batches:
        queue = m.batch
    chunk = max(1, min(g.prefill_chunk if in_chunks else max(g.prefill_chunk, fresh), queue * fresh))
    between = g.first_token_steps
    if g.scheduling > 0:
        between = max(1, queue * fresh / g.prefill_chunk) if in_chunks else 0.5 if prefill_first else 0
    width = g.attention_heads * ((g.nope_dim + g.rope_dim + g.value_dim) / 2 if m.latent else g.head_dim)
    causal = 2 * width * m.layers * fresh * m.kept(g.input_tokens) * (1 + g.cached_tokens / g.input_tokens)
    over_prompt = g.attention_weight * causal
    over_prompt /= n * g.attention_compute_share * reached(g.prefill_compute_share, bf16)
    prompt = ((matrices(chunk, g.prefill_compute_share) + sent(chunk)) * fresh / chunk + over_prompt) * slower
    overhead = g.prefill_overhead_share * (software + latency)
    shared = g.shared_pool > 0
    steps = max(m.answer - 1, 1) if shared else m.answer
    prompts = m.batch * (g.prefill_busy_share * prompt + overhead * fresh / chunk) if shared else 0

    def cycle(decoding):
        one = step(decoding)
        first = (prompt + g.request_overhead * 1e-3) * queue + overhead
        if m.batch * g.pipeline_stages > 1:
            first += between * one
        whole = max(prompts, first if shared else 0) + steps * one
        return one, first, whole

    decoding = m.batch
    for _ in range(2):
        _, first, whole = cycle(decoding)
        if shared and not whole_batches:
            decoding = m.batch * min(1, max(0.3, 1 - first / whole))
    one, first, whole = cycle(decoding)
    dense, experts = products(decoding, g.decode_compute_share)
    return SimpleNamespace(
        reading=dense[0] + experts[0],
        arithmetic=dense[1] + experts[1],
        floor=m.weights / (n * bandwidth * g.weight_bandwidth_share),
        step=one,
        prompt=prompt,
        first=first,
        cycle=whole,
        between=max(one, (whole - (first if shared else 0)) / steps),
        output=g.measured_output_speed or g.pipeline_stages * m.batch * m.answer / whole,
        share=prompts / (prompts + steps * one),
        fresh=fresh,
        shared=shared,
    )


def money(g, m, s):
    """Replicas for the demand, what they cost, and what the requests earn."""
    rate = s.output / m.answer
    needed = g.peak_requests * g.served_share * (1 + g.headroom) if g.has_demand else rate
    replicas = max(g.minimum_replicas, ceil(needed / rate - NOISE))
    # A pool of prompts keeps its replicas like the other; one without a demand is as large as the other's prompts ask.
    kept = g.minimum_replicas if g.has_demand else 0
    prefill = 0 if s.shared else max(kept, ceil(needed * s.prompt - NOISE))
    load = g.mean_requests * g.served_share if g.has_demand else rate * replicas * g.assumed_utilization
    busy = load / (replicas * rate)
    prefill_busy = busy if s.shared else load * s.prompt / prefill
    rent = g.tensor_parallel * g.pipeline_stages * g.accelerator_price
    hours = 24 * g.days_in_month
    bill = (replicas + prefill) * rent * hours
    a_prompt = rent / 3600 * (s.share / rate if s.shared else s.prompt) / prefill_busy
    an_answer = rent / 3600 * ((1 - s.share) / rate) / busy
    paid = s.fresh * (g.input_price + g.cache_write_share * (g.cache_write_price - g.input_price))
    paid += g.cached_tokens * g.cached_input_price
    paid += g.output_tokens * g.output_price + g.reasoning_tokens * g.reasoning_price
    paid *= g.collected_share
    revenue = load * paid / 1e6 * 3600 * hours
    seen = g.input_tokens + g.output_tokens
    return {
        "request_rate": rate,
        "input_speed": g.measured_input_speed or (rate * g.input_tokens if s.shared else g.input_tokens / s.prompt),
        "replica_count": replicas,
        "prefill_replica_count": prefill,
        "mean_load": load,
        "utilization": busy,
        "prefill_utilization": prefill_busy,
        "fleet_accelerators": (replicas + prefill) * g.tensor_parallel * g.pipeline_stages,
        "fleet_cost": bill,
        "idle_cost": (replicas * (1 - busy) + prefill * (1 - prefill_busy)) * rent * hours,
        "output_cost": an_answer / m.answer * 1e6,
        "input_cost": a_prompt / s.fresh * 1e6 if s.fresh else 0,
        "request_cost": a_prompt + an_answer if s.fresh else an_answer,
        "blended_cost": (a_prompt + an_answer if s.fresh else an_answer) / seen * 1e6,
        "blended_price": paid / seen,
        "revenue": revenue,
        "sold_tokens": load * seen * 3600 * hours / 1e6,
        "gross_profit": revenue - bill,
        "gross_margin": (revenue - bill) / revenue,
        "break_even_utilization": busy * bill / revenue,
        "query_time": m.answer * s.between,
        "user_speed": 1 / s.between,
    }


def second(given):
    """What the engine must give for one configuration; `given` are the quantities it reads from the sheets."""
    g = SimpleNamespace(**given)
    m = memory(g)
    known = {
        "weight_memory": m.weights / 1e9,
        "kv_cache_per_token": m.per_token,
        "sequence_memory": m.sequence / 1e9,
        "batch_size_limit": m.limit,
        "minimum_accelerators": m.fewest,
        "minimum_slice": m.slice_of_two,
        "fits": float(m.fits),
    }
    if not m.fits:
        return known
    s = speed(g, m)
    return (
        known
        | money(g, m, s)
        | {
            "batch_size": m.batch,
            "step_time": s.step,
            "step_time_floor": s.floor,
            "weight_reading_time": s.reading,
            "arithmetic_time": s.arithmetic,
            "prefill_time": s.prompt,
            "time_to_first_token": s.first,
            "cycle_time": s.cycle,
            "time_per_output_token": s.between,
            "output_speed": s.output,
        }
    )
