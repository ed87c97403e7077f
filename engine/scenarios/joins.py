"""Joins: which quantities each grain reads, and from where. Data in the form of functions; reads nothing itself."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from engine.calculation import behind
from engine.formulas import (
    BAND_FORMULAS,
    BUCKET_PRICES,
    EVERY_FORMULA,
    FLEET_FORMULAS,
    FORMULAS,
    HOUR_FORMULAS,
    MONTH_PART_FORMULAS,
    Formulas,
    needs,
)
from engine.scenarios.grains import Grain
from engine.scenarios.sources import (
    CONFIGURED,
    FLEETS,
    LINES,
    MONTH_PARTS,
    PRICE_LISTS,
    SLICES,
    TARIFFS,
    Chosen,
    DaysBilled,
    Filled,
    HasOne,
    Key,
    Known,
    Largest,
    Looked,
    Mean,
    Paired,
    Setting,
    Smallest,
    Source,
    Sum,
    Varied,
)
from engine.sheets import (
    CALIBRATION,
    CHOICES,
    CONFIGURATIONS,
    HARDWARE,
    MODELS,
    PRECISIONS,
    PRICES,
    SETTINGS,
    TRAFFIC,
    TRAFFIC_MIXES,
    Column,
    Sheet,
)
from engine.units import (
    DollarsPerMonth,
    Number,
    RequestsPerSecond,
    Seconds,
    Share,
    TokensPerRequest,
    TokensPerSecond,
    unit_of,
)

# Settings by which every fleet is planned.
PLANNED = ("headroom", "utilization_cap", "waiting_percentile", "start_time", "start_target")


def _numbers(sheet: Sheet) -> Iterable[Column]:
    return (column for column in sheet.columns if column.unit.is_number or column.words)


def _all_of(sheet: Sheet, by: str) -> dict[str, Source]:
    return {column.name: Looked(sheet, column, by) for column in _numbers(sheet)}


def line_sources() -> dict[str, Source]:
    """Of a class within a traffic."""
    mean = Looked(TRAFFIC, TRAFFIC.column("mean_requests"), "traffic_class")
    return {
        "line": Key(),
        "traffic": Key(),
        "traffic_class": Key(),
        "mix_share": Paired(TRAFFIC_MIXES, TRAFFIC_MIXES.column("mix_share"), ("traffic", "traffic_class"), alone=1.0),
        "days_in_month": DaysBilled(),
        **{
            name: Sum(MONTH_PARTS, name, formula.__annotations__["return"])
            for name, formula in MONTH_PART_FORMULAS.items()
        },
        "customer_discount": Paired(
            TRAFFIC_MIXES, TRAFFIC_MIXES.column("customer_discount"), ("traffic", "traffic_class")
        ),
        "has_demand": Known(mean),
        **_all_of(TRAFFIC, "traffic_class"),
    }


# What a traffic pays under a price list: the name it has in a configuration, and in the grain of tariffs.
OF_TARIFF = {"cache_write_share": "tariff_write_share", "collected_share": "tariff_collected_share"}


def of_list(quantity: str) -> Varied:
    """A price or term of the month, of the price list that this row names."""
    annotation = PRICES.column(quantity).annotation if quantity in BUCKET_PRICES else Share
    return Varied(PRICE_LISTS, quantity, "price_list", annotation)


def configuration_sources() -> dict[str, Source]:
    """Of a configuration: its own columns, and those of every row that it names."""
    own = "configuration"
    share = Looked(CONFIGURATIONS, CONFIGURATIONS.column("requests_share"), own)
    texts = {
        column.name: Looked(CONFIGURATIONS, column, own)
        for column in CONFIGURATIONS.columns
        if column.name in ("model", "hardware", "precision", "calibration", "price_basis", "traffic", "price_list")
    }
    lengths = ("input_tokens", "cached_tokens", "output_tokens", "reasoning_tokens")
    choices = {choice.quantity: choice for choice in CHOICES}
    return {
        own: Key(),
        **texts,
        "compute": Looked(PRECISIONS, PRECISIONS.column("compute"), "precision"),
        **_all_of(CONFIGURATIONS, own),
        "serves": Known(share),
        "served_share": Filled(share, 1.0),
        **_all_of(HARDWARE, "hardware"),
        "peak_compute": Chosen(choices["peak_compute"], "compute", "hardware"),
        "accelerator_price": Chosen(choices["accelerator_price"], "price_basis", "hardware"),
        **_all_of(MODELS, "model"),
        **_all_of(PRECISIONS, "precision"),
        **_all_of(CALIBRATION, "calibration"),
        **{name: Setting(SETTINGS.column(name)) for name in PLANNED},
        **{price: of_list(price) for price in BUCKET_PRICES},
        **{name: Sum(TARIFFS, quantity, Share, ("traffic", "price_list")) for name, quantity in OF_TARIFF.items()},
        "days_in_month": DaysBilled(),
        "has_demand": HasOne(LINES, "has_demand", "traffic"),
        "mean_requests": Sum(LINES, "class_requests", RequestsPerSecond, "traffic"),
        "peak_requests": Sum(LINES, "class_peak", RequestsPerSecond, "traffic"),
        "waiting_target": Smallest(LINES, "waiting_target", "traffic", Seconds),
        "first_token_target": Smallest(LINES, "first_token_target", "traffic", Seconds),
        "target_user_speed": Largest(LINES, "target_user_speed", "traffic", TokensPerSecond),
        **{name: Mean(LINES, name, "class_weight", "traffic", TokensPerRequest) for name in lengths},
        "service_variability": Mean(LINES, "service_variability", "class_weight", "traffic", Number),
    }


def sum_sources(by: str) -> dict[str, Source]:
    """Of several configurations together."""
    annotations = {name: FORMULAS[name].__annotations__["return"] for name in SUMMED}
    return {name: Sum(CONFIGURED, name, annotations[name], by, "counts") for name in SUMMED}


def bill_sources(grains: Mapping[str, Grain]) -> dict[str, Source]:
    """The lines of all fleets' bills together; none where nothing serves."""
    sums: dict[str, Source] = {}
    if FLEETS in grains:
        sums |= {name: Sum(FLEETS, name, grains[FLEETS].annotation(name)) for name in BILL_LINES}
    if SLICES in grains:
        sums["contract_saving"] = Sum(SLICES, "slice_month_saving", DollarsPerMonth)
    return sums


BILL_LINES = (
    *("useful_bill", "headroom_bill", "reserve_bill", "idle_bill", "transition_bill"),
    *("commitment_bill", "rented_bill", "interruption_bill"),
)


SUMMED = (
    "mean_load",
    "sold_tokens",
    "revenue_per_day",
    "revenue",
    "fleet_cost_per_day",
    "fleet_cost",
    "idle_cost",
    "fleet_accelerators",
    "held_hours",
    "used_hours",
)


# What the hours of a configuration take from it besides.
BY_HOUR = {"accelerator_price"}.union(*(needs(f) for f in (*HOUR_FORMULAS.values(), *FLEET_FORMULAS.values())))


def wanted(sources: Mapping[str, Source], formulas: Formulas) -> dict[str, Source]:
    """The sources that some formula needs, and the text that names rows or explains them."""
    needed = BY_HOUR.union(*(needs(f) for f in formulas.values()))
    return {
        name: source
        for name, source in sources.items()
        if name in needed or isinstance(source, Key) or unit_of(source.annotation).kind in ("text", "flag")
    }


# What no question reads of a case: bands, figures of a month that is billed by the hour, and whether a promised wait is
# kept.
_UNASKED = {
    *("allocated_cost", "blended_price", "held_hours", "query_time", "running_batch_size", "used_hours"),
    *("waiting_warning", "waiting_warning_prefill"),
}
_WITHOUT_BANDS = {name: formula for name, formula in FORMULAS.items() if name not in BAND_FORMULAS}
_FINAL = set(_WITHOUT_BANDS) - set().union(*(needs(formula) for formula in _WITHOUT_BANDS.values()))
_ASKED = behind(_FINAL - _UNASKED, ())
CASE_FORMULAS: Formulas = {name: formula for name, formula in FORMULAS.items() if name in _ASKED}


def case_sources(configured: Mapping[str, Source]) -> dict[str, Source]:
    """Of a case: as of a configuration, but what it has of its own comes from the configuration it starts from."""
    sources: dict[str, Source] = {"case": Key(), "study": Key(), "configuration": Key()}
    for quantity, source in configured.items():
        own = source.looked if isinstance(source, Known | Filled) else source
        if isinstance(own, Looked) and own.by == "configuration":
            sources[quantity] = Varied(CONFIGURED, quantity, "configuration", source.annotation)
        elif quantity != "configuration":
            sources[quantity] = source
    return sources


DECIDED = (
    # what a dollar buys, and what governs
    "compute_per_dollar bandwidth_per_dollar memory_per_dollar deciding_metric reached_compute step_compute_share "
    # memory
    "kv_cache_memory cache_per_weight score_memory memory_use memory_per_accelerator memory_warning paged_batch "
    # the parts of a step, and what one accelerator gives
    "weight_time_share attention_time_share other_time_share speed_ceiling accelerator_speed "
    "accelerator_request_rate output_token_time input_token_time finished_per_step "
    # how far a layer can be spread
    "compute_per_link_byte bandwidth_over_link compute_parallel_limit bandwidth_parallel_limit linked_batch_limit "
    "kv_heads_per_accelerator kv_head_split kv_head_warning "
    # one pool or two
    "prefill_rate decode_rate prefill_per_decode pool_servers separate_pools separate_pools_reason transfer_memory "
    "transfer_time transfer_share steps_lost tokens_lost interference_cost chunk_count prefill_chunk_time "
    "fused_step_time chunks_time chunked_prefill_time longest_stall "
    # the money of a year, a request, an answer
    "fleet_cost_per_hour fleet_cost_per_year requests_per_day fleet_cost_per_request load_factor break_even_price "
    "break_even_input_ratio break_even_warning decode_cost_share response_cost reasoning_ratio reasoning_multiple "
    "affordable_reasoning "
    # other ways to hold the cache, other terms, and what training cost
    "contiguous_batch prefix_memory on_demand_premium elastic_break_even mean_reserved_rent "
    "training_cost equivalent_tokens training_multiple crossover_days crossover_days_all_in crossover_warning "
    # requests that come at once
    "burst_share burst_batch emptied_step_time burst_step_time ramp_time steady_time tail_time burst_time "
    "burst_output_speed burst_slowdown burst_first_token burst_cost"
)
DECISION_FORMULAS: Formulas = {name: EVERY_FORMULA[name] for name in DECIDED.split()}


def decision_sources(configured: Grain) -> dict[str, Source]:
    """Of what a configuration suggests: its figures, and the limits by which they are judged."""
    needed = set().union(*(needs(f) for f in DECISION_FORMULAS.values())) | {"fits", "counts"}
    reserved = Looked(HARDWARE, HARDWARE.column("one_year_price"), "hardware")
    sources: dict[str, Source] = {"configuration": Key()}
    for quantity in ("hardware", "model", "traffic", *sorted(needed - set(DECISION_FORMULAS))):
        if quantity in configured.sources or quantity in configured.formulas:
            sources[quantity] = Varied(CONFIGURED, quantity, "configuration", configured.annotation(quantity))
        elif quantity in {column.name for column in SETTINGS.columns}:
            sources[quantity] = Setting(SETTINGS.column(quantity))
    for sheet, by in ((HARDWARE, "hardware"), (MODELS, "model")):
        sources |= {c.name: Looked(sheet, c, by) for c in sheet.columns if c.name in needed and c.name not in sources}
    return {**sources, "reserved_price": reserved}
