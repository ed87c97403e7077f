"""Sheets: everything an analyst fills in, declared once as plain data. Knows neither how it is read nor how it is written.

The name of a column is the name of the quantity it holds. Units, bounds, dropdowns and help texts of the blank
workbook, of the reader's messages and of inputs/README.md all come from here.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from engine.units import (
    CHUNKED,
    CURRENCIES,
    DECODE_FIRST,
    PREFILL_FIRST,
    Amount,
    Billions,
    Bits,
    BytesPerToken,
    Count,
    Date,
    Days,
    DaysPerMonth,
    Dollars,
    DollarsPerGigabyte,
    DollarsPerGigabyteHour,
    DollarsPerHour,
    DollarsPerKilowattHour,
    DollarsPerKilowattMonth,
    DollarsPerMillionTokens,
    DollarsPerMonth,
    DollarsPerRequest,
    DollarsPerYear,
    Elements,
    ExchangeRate,
    Gigabytes,
    GigabytesPerSecond,
    Hours,
    HoursPerMonth,
    Kilowatts,
    Microseconds,
    MicrosecondsPerRequest,
    MillionTokensPerMonth,
    MillisecondsPerRequest,
    MillisecondsPerToken,
    Month,
    Months,
    Number,
    Requests,
    RequestsPerSecond,
    Seconds,
    SecondsPerRequest,
    Sequences,
    Share,
    Teraflops,
    Text,
    Tokens,
    TokensPerMonth,
    TokensPerRequest,
    TokensPerSecond,
    TrillionTokens,
    Unit,
    Years,
    unit_of,
)


@dataclass(frozen=True)
class Column:
    """One column of a sheet, or one row of the Settings sheet.

    `default` is what a blank cell means; a column without one, and without `otherwise`, must be filled. `None` as
    default leaves the figure unknown: whoever needs it says so. `otherwise` names the setting a blank falls back to.
    `refers_to` names the sheets whose keys are allowed, `choices` the words, `words` the numbers that words stand for.
    Where every row errs by itself, those that hold the same in the columns named in `alike` err as one.
    """

    name: str
    annotation: Any
    help: str
    key: bool = False
    default: Any = ...
    otherwise: str = ""
    at_least: float | None = None
    at_most: float | None = None
    whole: bool = False
    choices: tuple[str, ...] = ()
    refers_to: tuple[str, ...] = ()
    words: Mapping[str, float] = field(default_factory=dict)
    blank: str = ""  # what a blank cell means, where the default does not say it
    alike: tuple[str, ...] = ()

    @property
    def unit(self) -> Unit:
        return unit_of(self.annotation)

    @property
    def required(self) -> bool:
        return self.default is ... and not self.otherwise

    @property
    def is_number_when_blank(self) -> bool:
        """Whether a blank cell means its default and nothing else: a number as if typed."""
        return isinstance(self.default, int | float) and not (self.otherwise or self.blank)


@dataclass(frozen=True)
class Sheet:
    """One sheet: a table with a row per thing, or (`vertical`) one named value per row. `may_be_empty`: needs no row."""

    name: str
    purpose: str
    columns: tuple[Column, ...]
    vertical: bool = False
    may_be_empty: bool = False

    @property
    def table(self) -> str:
        """Name of the native Excel table."""
        return "tbl" + self.name.title().replace(" ", "")

    @property
    def keys(self) -> tuple[Column, ...]:
        return tuple(column for column in self.columns if column.key)

    def column(self, name: str) -> Column:
        return next(column for column in self.columns if column.name == name)


@dataclass(frozen=True)
class Choice:
    """A quantity of a configuration read from one of several columns of `sheet`, chosen by the word in `by`."""

    quantity: str
    by: str
    sheet: str
    columns: Mapping[str, str]


def _provenance(of: str) -> tuple[Column, ...]:
    return (
        Column("source", Text, f"Where {of} were seen: document, page, contract. Write 'assumption' where it is one."),
        Column("checked_on", Date, "The day somebody last looked at the source."),
        Column("note", Text, "Anything a reader should know, such as 'unverified'.", default=""),
    )


# On a sheet that has it, every amount of a row is in this currency, and comes to the report converted.
CURRENCY = Column(
    "currency",
    Text,
    "Currency of the row's amounts; another than the report's needs its rate on Exchange rates.",
    default="",
    blank="the report's",
    choices=tuple(CURRENCIES),
)

# Columns that say how old a source is.
SEEN_ON = ("checked_on", "as_of")

YES_NO = {"yes": 1.0, "no": 0.0}
AS_CALIBRATED = "as calibrated"
SCHEDULING = {
    AS_CALIBRATED: 0.0,
    "chunked": float(CHUNKED),
    "prefill first": float(PREFILL_FIRST),
    "decode first": float(DECODE_FIRST),
}
# By what an amount on Other costs is multiplied.
DRIVERS = ("month", "request", "million tokens", "replica", "revenue")

# Sheets whose inputs a driver or a scenario may change.
CHANGEABLE = (
    "Settings",
    "Configurations",
    "Traffic",
    "Traffic mixes",
    "Load profiles",
    "Prices",
    "Other costs",
    "Competitors",
    "Exchange rates",
    "Hardware",
    "Commitments",
    "Models",
    "Precisions",
    "Calibration",
)

SETTINGS = Sheet(
    "Settings",
    "What holds for the whole report.",
    (
        Column("report_title", Text, "Title on the first page.", default="Inference margin"),
        Column("owner", Text, "Who answers for this workbook.", default=""),
        Column("report_month", Month, "The month reported, as any day of it."),
        Column(
            "currency",
            Text,
            "Currency of the report, and of every amount whose row names no other; $ in a unit stands for it.",
            choices=tuple(CURRENCIES),
            default="USD",
        ),
        Column(
            "days_in_month", DaysPerMonth, "Days that are billed, where they are not the calendar's.", blank="the calendar's days", default=None, at_least=1, at_most=31
        ),
        Column(
            "usable_memory_share",
            Share,
            "Accelerator memory that weights and KV cache may fill; the rest is working memory and fragmentation.",
            default=0.9,
            at_least=0.3,
            at_most=1,
        ),
        Column(
            "headroom", Share, "Capacity kept above the peak of requests.", default=0.15, at_least=0, at_most=3
        ),
        Column("utilization_cap", Share, "Load on average that replicas are planned for where a wait is promised; a rule of thumb.", default=0.85, at_least=0.05, at_most=1),
        Column("waiting_percentile", Share, "Share of the requests that wait no longer than promised.", default=0.99, at_least=0.5, at_most=0.9999),
        Column("valley_limit", Share, "Load up to which batch work may fill the hours with room.", default=0.85, at_least=0.05, at_most=1),
        Column("start_time", Seconds, "Time from ordering an accelerator to its first request: booting and loading the weights; an assumption.", default=300, at_least=0, at_most=86400),
        Column("start_target", Seconds, "Longest that a request may wait for a cold start, where a pool may be emptied.", default=60, at_least=0, at_most=86400),
        Column("promised_spending", DollarsPerMonth, "Rent beside all contracts that was promised to providers for a month, and is paid used or not (take or pay).", default=0, at_least=0, at_most=1e12),
        Column("prepaid_balance", DollarsPerMonth, "What was paid to providers before the month, and its rent is taken from.", default=0, at_least=0, at_most=1e12),
        Column("interruption_reserve", Share, "Accelerators that stand by for those on spot terms that are taken away, as a share of them; an assumption.", default=0.1, at_least=0, at_most=1),
        Column("comment_above", DollarsPerMonth, "Change of a gross profit since last month above which it is to be commented.", default=10000, at_least=0, at_most=1e12),
        Column("comment_above_share", Share, "The same as a share of last month's; a change is to be commented where it is above both.", default=0.05, at_least=0, at_most=100),
        Column(
            "staleness_limit",
            Days,
            "Age in days, at the end of the month, above which a checked-on date is reported as stale.",
            default=90,
            at_least=1,
            at_most=3650,
            whole=True,
        ),
        Column(
            "transfer_bandwidth",
            GigabytesPerSecond,
            "Network between a prefill and a decode pool; 50 GB/s is a 400 Gbit/s link (Austin et al., 2025).",
            default=50,
            at_least=0.1,
            at_most=10000,
        ),
        Column(
            "prefill_time_limit",
            SecondsPerRequest,
            "Prompt time above which pools are better kept apart (Austin et al., 2025, checklist).",
            default=0.2,
            at_least=0,
            at_most=1000,
        ),
        Column(
            "prompt_heavy_ratio",
            Number,
            "Input tokens for an output token from which traffic counts as prompt-heavy; a rule of thumb.",
            default=4,
            at_least=0,
            at_most=1e6,
        ),
        Column(
            "smallest_deployment",
            Count,
            "Replicas below which two pools are not worth it; a rule of thumb.",
            default=3,
            at_least=2,
            at_most=1000,
            whole=True,
        ),
        Column("mixed_traffic", Text, "Whether long and short prompts arrive together.", default="yes", words=YES_NO),
        Column(
            "safe_memory_share",
            Share,
            "Share of all memory above which an engine tends to run out of it (Austin et al., 2025).",
            default=0.95,
            at_least=0.3,
            at_most=1,
        ),
        Column(
            "paging_efficiency",
            Share,
            "Share of the KV memory that a paged cache puts to use; above 0.9 in Kwon et al. (2023), 0.4 contiguous.",
            default=0.9,
            at_least=0.05,
            at_most=1,
        ),
        Column(
            "contiguous_efficiency",
            Share,
            "The same of a cache without pages, which reserves each sequence's longest answer; Kwon et al. (2023).",
            default=0.4,
            at_least=0.05,
            at_most=1,
        ),
        Column("cached_prefixes", Requests, "Beginnings of prompts whose KV cache is kept at a time; blank where that is not known.", default=None, at_least=1, at_most=1e9, whole=True),
        Column("burst_requests", Requests, "Requests of a job that come at once, as a night's batch does; blank leaves that question out.", default=None, at_least=1, at_most=1e9, whole=True),
        Column("draft_model", Text, "Small dense model that drafts for speculative decoding; blank leaves that question out.", default="", refers_to=("Models",)),
        Column("draft_tokens", Count, "Tokens drafted for each pass of the large model; 4 in Leviathan et al. (2023).", default=4, at_least=1, at_most=32, whole=True),
        Column("acceptance", Share, "Share of drafted tokens that the large model accepts, as measured; blank leaves the question out.", default=None, at_least=0, at_most=1),
        Column("acceptance_source", Text, "Where the acceptance was measured: engine, models, prompts; without it the search leaves speculative decoding out.", default=""),
        Column("training_compute_share", Share, "Dense peak that training reached; 40 % in Austin et al. (2025).", default=0.4, at_least=0.01, at_most=1),
        Column("answer_budget", DollarsPerRequest, "What an answer may cost at our prices; says how much hidden reasoning that leaves room for.", default=None, at_least=0, at_most=10000),
        Column("first_price", DollarsPerMillionTokens, "A market price some time ago, to project its decline from; blank leaves that question out.", default=None, at_least=0, at_most=10000),
        Column("last_price", DollarsPerMillionTokens, "The same price today.", default=None, at_least=0, at_most=10000),
        Column("price_years", Years, "Years between the two.", default=None, at_least=0, at_most=50),
        Column("price_history_source", Text, "Where the two prices were seen.", default=""),
        Column("target_margin", Share, "Margin after all costs that prices are to leave; 0 asks only that they pay the costs.", default=0, at_least=0, at_most=0.99),
        Column("idle", Text, "Whether the cost of idle time stands by itself (separate) or on prompts and answers, as their time does (spread).", default="separate", words={"separate": 0.0, "spread": 1.0}),
        Column("cache_retention", Hours, "How long the KV cache of tokens billed as cache writes is kept.", default=0, at_least=0, at_most=8760),
        Column("storage_price", DollarsPerGigabyteHour, "Memory or disk that keeps it; 0 where it is paid for otherwise.", default=0, at_least=0, at_most=100),
        Column("transfer_price", DollarsPerGigabyte, "Carrying KV cache from a prefill pool to a decode pool; 0 where it is paid for otherwise.", default=0, at_least=0, at_most=100),
        Column("forward_months", Months, "Months ahead to look at: 12 to 36, or 0 to leave that question out. It is asked where anything below, or on Traffic or Configurations, says what will change.", default=24, at_least=0, at_most=36, whole=True),
        Column("price_decline", Share, "Share by which our prices fall in a year. Answers of equal quality fell tenfold a year, 0.9 (a16z, 2024); one model's list price falls less.", default=0, at_least=-1, at_most=0.99),
        Column("software_speed_up", Share, "Share by which better software raises a replica's requests in a year; vLLM 0.6.0 brought 0.8 on a 70B model (its release notes, 2024).", default=0, at_least=0, at_most=10),
        Column("rent_change", Share, "Share by which rents that are not committed change in a year. H100 fell by 0.22 in 2025 up to autumn (RBC, in the Financial Times), and rose after.", default=0, at_least=-0.99, at_most=5),
        Column("investment", Dollars, "What the months ahead are to pay back.", blank="nothing to pay back", default=0, at_least=0, at_most=1e12),
        Column("outlook_source", Text, "Where price decline, speed-up and rent change come from, or 'assumption'.", default=""),
        Column("cost_of_capital", Share, "Interest a year that money spent on servers has to earn; 8 % is an assumption, take your own.", default=0.08, at_least=0, at_most=1),
        Column("power_usage_effectiveness", Number, "Power of a building for each kW of its servers; 1.56 on average (Uptime Institute survey, 2024).", default=1.56, at_least=1, at_most=5),
        Column("electricity_price", DollarsPerKilowattHour, "Electricity; industry paid 8.06 cents on average in the United States in 2023 (EIA).", default=0.0806, at_least=0, at_most=10),
        Column("hosting_price", DollarsPerKilowattMonth, "Space in a building by the power it is reserved for, without electricity; asked on average by CBRE, H2 2024.", default=184.06, at_least=0, at_most=10000),
        Column("own_base_cost", DollarsPerMonth, "What owning costs at any volume, beside what each server does: people, spare parts, contracts.", default=0, at_least=0, at_most=1e9),
        Column("crossover_limit", TokensPerMonth, "Volume up to which crossovers are looked for: 10 trillion is more than one model is asked for, and is searched in seconds.", default=1e13, at_least=1, at_most=1e16, whole=True),
        Column(
            "study_configuration",
            Text,
            "Configuration that the questions of the report start from; blank takes the one with the largest bill.",
            default="",
            refers_to=("Configurations",),
        ),
        Column("study_hardware", Text, "Ask: which accelerator for this model and traffic?", default="yes", words=YES_NO),
        Column("study_batch", Text, "Ask: what does a larger or smaller batch cost?", default="yes", words=YES_NO),
        Column("study_topology", Text, "Ask: how many accelerators, at which precision?", default="yes", words=YES_NO),
        Column("study_models", Text, "Ask: what would other models cost, and what do levers save?", default="yes", words=YES_NO),
        Column("study_serving", Text, "Ask: what do speculative decoding, prompt caching and paging change?", default="yes", words=YES_NO),
        Column("study_load", Text, "Ask: what does a busier or emptier fleet earn?", default="yes", words=YES_NO),
        Column("study_apis", Text, "Ask: would the APIs on Competitors be cheaper than serving?", default="yes", words=YES_NO),
        Column("study_outlook", Text, "Ask: what do reasoning, training and falling prices mean?", default="yes", words=YES_NO),
        Column("study_search", Text, "Ask: which accelerators, spread how, at which precision and batch, with which pools and drafts, would serve that configuration for least?", default="yes", words=YES_NO),
        Column("cost_ceiling", DollarsPerMillionTokens, "What a million tokens may cost all-in, for the question of the fastest set-up below it.", blank="what it costs today", default=None, at_least=0, at_most=10000),
        Column("study_sensitivity", Text, "Ask: what do the drivers on Sensitivity and the changes on Scenarios do to the month?", default="yes", words=YES_NO),
        Column("study_fidelity", Text, "Ask: how far do predicted speeds lie from measured ones?", default="yes", words=YES_NO),
        Column("study_ownership", Text, "Ask: from how many tokens a month does owning, renting or an API cost least?", default="yes", words=YES_NO),
        Column("study_uncertainty", Text, "Ask: how sure are cost and margin, with the inputs on Uncertainty drawn together?", default="yes", words=YES_NO),
        Column("draws", Count, "Draws of the uncertain inputs: a power of two. The page shows what half and a quarter of them give.", default=4096, at_least=256, at_most=131072, whole=True),
        Column("seed", Count, "Number by which the draws are made: the same gives the same draws.", default=1, at_least=0, at_most=1e9, whole=True),
        Column("prepared_by", Text, "Who prepared this month's figures.", blank="not prepared", default=""),
        Column("prepared_on", Date, "When.", default=None),
        Column("reviewed_by", Text, "Who reviewed them.", blank="not reviewed", default=""),
        Column("reviewed_on", Date, "When.", default=None),
        Column("approved_by", Text, "Who approved them.", blank="not approved", default=""),
        Column("approved_on", Date, "When.", default=None),
        Column("rest_tolerance", Share, "Share of an invoiced or billed month that may stay unexplained for it to count as reconciled.", default=0.01, at_least=0, at_most=1),
        Column("published_figures", Text, "Show how figures that others have published compare with our formulas.", default="yes", words=YES_NO),
        Column("mail_to", Text, "Who gets the report by mail: addresses, separated by commas or semicolons.", blank="nobody yet", default=""),
        Column("mail_cc", Text, "Who gets a copy of that mail.", blank="nobody", default=""),
        Column("mail_from", Text, "Address that the mail comes from.", blank="the address that logs in to the mail server", default=""),
    ),
    vertical=True,
)

HARDWARE = Sheet(
    "Hardware",
    "One row per accelerator (GPU or TPU) and the terms it is rented on.",
    (
        Column("hardware", Text, "Name used on the Configurations sheet.", key=True),
        Column("vendor", Text, "Who makes it.", default=""),
        Column("bf16_compute", Teraflops, "Dense bf16 peak of one accelerator; not the sparse figure.", at_least=1, at_most=20000),
        Column("fp8_compute", Teraflops, "Dense fp8 peak; blank where it has none.", default=None, at_least=1, at_most=40000),
        Column("int8_compute", Teraflops, "Dense int8 peak; blank where it has none.", default=None, at_least=1, at_most=40000),
        Column("fp4_compute", Teraflops, "Dense fp4 peak; blank where it has none.", default=None, at_least=1, at_most=80000),
        Column("accelerator_memory", Gigabytes, "HBM of one accelerator, in GB of 1e9 bytes.", at_least=1, at_most=2000),
        Column("memory_bandwidth", GigabytesPerSecond, "HBM bandwidth of one accelerator.", at_least=50, at_most=100000),
        Column(
            "link_bandwidth",
            GigabytesPerSecond,
            "Bandwidth to the other accelerators of a replica, in one direction; half of a bidirectional figure.",
            default=None,
            at_least=1,
            at_most=10000,
        ),
        Column("accelerator_measured", Text, "yes: the calibration has measured points of it; else the bands around its speeds are wider.", default="no", words=YES_NO),
        Column("mesh_axes", Count, "Axes of a torus that one layer is spread over; blank where the links are switched.", default=1, at_least=1, at_most=3, whole=True),
        Column("accelerators_per_node", Count, "Accelerators of a server, which is rented and bought whole; 1 where they are had one by one.", default=1, at_least=1, at_most=1024, whole=True),
        Column("on_demand_price", DollarsPerHour, "Rent of one accelerator, on demand.", default=None, at_least=0, at_most=1000),
        Column("one_year_price", DollarsPerHour, "Rent of one accelerator, committed for a year.", default=None, at_least=0, at_most=1000),
        Column("three_year_price", DollarsPerHour, "Rent of one accelerator, committed for three years.", default=None, at_least=0, at_most=1000),
        Column("spot_price", DollarsPerHour, "Rent of one accelerator that may be taken away.", default=None, at_least=0, at_most=1000),
        CURRENCY,
        Column("price_source", Text, "Where the prices were seen, or 'assumption'."),
        Column("node_purchase_price", Dollars, "Price of a whole server with its accelerators.", blank="not bought", default=None, at_least=1, at_most=1e9),
        Column("installation_cost", Dollars, "What a server costs beside its price: network, racks, delivery, set-up.", default=0, at_least=0, at_most=1e9),
        Column("service_life", Years, "Years until it is replaced; needed where it is bought. Cloud companies report 5 to 6.", default=None, at_least=0.5, at_most=30),
        Column("residual_share", Share, "Share of its price that a server sells for at the end of its life.", default=0, at_least=0, at_most=1),
        Column("accelerator_power", Kilowatts, "Power of one accelerator at most, in kW; needed where servers are bought.", default=None, at_least=0.005, at_most=20),
        Column("node_base_power", Kilowatts, "Power of a server beside its accelerators, at most: processors, network, fans.", default=0, at_least=0, at_most=1000),
        Column("maintenance_share", Share, "Spare parts and support a year, as a share of the price.", default=0, at_least=0, at_most=1),
        Column("node_staff_cost", DollarsPerYear, "People who run a server, for a year.", default=0, at_least=0, at_most=1e7),
        Column("accelerator_licence_price", DollarsPerYear, "Software licensed by the accelerator, for a year; NVIDIA AI Enterprise is listed at $4,500.", default=0, at_least=0, at_most=1e6),
        Column("ownership_source", Text, "Where price, power and life of the server were seen, or 'assumption'.", default=""),
        *_provenance("the specifications"),
    ),
)

MODELS = Sheet(
    "Models",
    "One row per language model: the shapes its memory and speed follow from.",
    (
        Column("model", Text, "Name used on the Configurations sheet.", key=True),
        Column("total_parameters", Billions, "All parameters.", at_least=0.01, at_most=20000),
        Column("active_parameters", Billions, "Parameters a token is multiplied with; all of them in a dense model.", at_least=0.01, at_most=20000),
        Column("routed_parameters", Billions, "Parameters of the routed experts; 0 in a dense model.", default=0, at_least=0, at_most=20000),
        Column("layers", Count, "Transformer layers.", at_least=1, at_most=1000, whole=True),
        Column("hidden_size", Elements, "Width of the residual stream.", at_least=64, at_most=200000, whole=True),
        Column("attention_heads", Count, "Query heads.", at_least=1, at_most=2000, whole=True),
        Column("kv_heads", Count, "Key and value heads; fewer than query heads with grouped-query attention.", at_least=1, at_most=2000, whole=True),
        Column("head_dim", Elements, "Width of a head.", at_least=1, at_most=2000, whole=True),
        Column("feed_forward_size", Elements, "Width of the feed-forward layer, of one expert where there are only experts.", default=None, at_least=16, at_most=1000000, whole=True),
        Column("experts", Count, "Routed experts of a layer; blank or 1 in a dense model.", default=1, at_least=1, at_most=10000, whole=True),
        Column("experts_per_token", Count, "Routed experts a token visits.", default=1, at_least=1, at_most=10000, whole=True),
        Column("kv_lora_rank", Elements, "Latent attention (MLA): width of the latent; blank for others.", default=0, at_least=0, at_most=20000, whole=True),
        Column("nope_dim", Elements, "Latent attention: width of a key without its rotary part.", default=0, at_least=0, at_most=20000, whole=True),
        Column("rope_dim", Elements, "Latent attention: width of the rotary part.", default=0, at_least=0, at_most=20000, whole=True),
        Column("value_dim", Elements, "Latent attention: width of a value.", default=0, at_least=0, at_most=20000, whole=True),
        Column("window", TokensPerRequest, "Tokens that a sliding-window layer keeps.", default=0, at_least=0, at_most=1e8, whole=True),
        Column("window_layers", Count, "Layers with a sliding window.", default=0, at_least=0, at_most=1000, whole=True),
        Column("linear_layers", Count, "Layers without a KV cache (linear attention).", default=0, at_least=0, at_most=1000, whole=True),
        Column("sparse_tokens", TokensPerRequest, "Sparse attention: tokens that a step selects.", default=0, at_least=0, at_most=1e8, whole=True),
        Column("maximum_context", TokensPerRequest, "Longest context the model supports.", at_least=128, at_most=1e9, whole=True),
        Column("kv_cache_override", BytesPerToken, "KV cache per token where a source gives another figure than the shapes.", default=0, at_least=0, at_most=1e8),
        Column("weight_memory_override", Gigabytes, "Size of the checkpoint where its precision is mixed.", default=0, at_least=0, at_most=1e5),
        Column("model_measured", Text, "yes: the calibration has measured points of it; else the bands around its speeds are wider.", default="no", words=YES_NO),
        Column("licence_price", DollarsPerMillionTokens, "What its licensor is paid for a million tokens that customers see.", default=0, at_least=0, at_most=1000),
        CURRENCY,
        Column("revenue_share", Share, "Share of net revenue that its licensor is paid.", default=0, at_least=0, at_most=1),
        Column("training_tokens", TrillionTokens, "Tokens it was trained on; blank where that is not known.", default=None, at_least=0.0001, at_most=1e4),
        *_provenance("the shapes"),
    ),
)

COMPUTE = {"bf16": "bf16_compute", "fp8": "fp8_compute", "int8": "int8_compute", "fp4": "fp4_compute"}
PRICE_BASES = {
    "on demand": "on_demand_price",
    "1 year": "one_year_price",
    "3 years": "three_year_price",
    "spot": "spot_price",
}

# Terms that hold a fleet, at the size it has, until they end.
COMMITTED_BASES = ("1 year", "3 years")

PRECISIONS = Sheet(
    "Precisions",
    "One row per way of storing and multiplying: weights, KV cache and arithmetic are three choices.",
    (
        Column("precision", Text, "Name used on the Configurations sheet.", key=True),
        Column("weight_bits", Bits, "Bits of a stored weight, scales included.", at_least=1, at_most=32),
        Column("mixture_dense_bits", Bits, "Bits of the weights outside the experts, in a mixture of experts.", at_least=1, at_most=32),
        Column("kv_bits", Bits, "Bits of a stored element of the KV cache.", at_least=1, at_most=32),
        Column("compute", Text, "Which dense peak of the accelerator the matrix products reach for.", choices=tuple(COMPUTE)),
        Column("requires", Text, "A peak the accelerator must have besides, such as fp4 for mxfp4 computed in fp8; blank for none.", default="", choices=tuple(COMPUTE)),
        *_provenance("the formats"),
    ),
)

TRAFFIC = Sheet(
    "Traffic",
    "One row per class of requests: how many, how long.",
    (
        Column("traffic", Text, "Name of the class, used on the Configurations and Traffic mixes sheets.", key=True),
        Column("mean_requests", RequestsPerSecond, "Requests per second, mean of the month; blank for a class without demand.", default=None, at_least=0.000001, at_most=1e8),
        Column("peak_requests", RequestsPerSecond, "Requests per second in the busiest minutes; needed where the mean is given.", default=None, at_least=0.000001, at_most=1e8),
        Column("input_tokens", TokensPerRequest, "Tokens of a prompt, mean.", at_least=1, at_most=1e8),
        Column("cached_share", Share, "Share of the prompt whose KV cache is found from an earlier request.", default=0, at_least=0, at_most=1),
        Column("output_tokens", TokensPerRequest, "Visible tokens of an answer, mean.", at_least=1, at_most=1e7),
        Column("reasoning_tokens", TokensPerRequest, "Hidden tokens decoded before the answer, mean.", default=0, at_least=0, at_most=1e7),
        Column("target_user_speed", TokensPerSecond, "Tokens per second that each user is promised; blank where nothing is.", default=0, at_least=0, at_most=1e5),
        Column("first_token_target", Seconds, "Longest mean time from a request to its first token that users are promised, once it has a place in a batch.", blank="nothing is promised", default=1e6, at_least=0.001, at_most=86400),
        Column("waiting_target", Seconds, "Longest wait for a place in a batch that waiting_percentile of the requests are promised.", blank="none; the headroom decides", default=1e6, at_least=0.001, at_most=86400),
        Column("service_variability", Number, "How much answers differ in time: variance over the square of the mean; 1 where they are exponential, 0 where all are alike.", default=1, at_least=0, at_most=100),
        Column("load_profile", Text, "How the requests spread over the day, on Load profiles.", blank="evenly", default="", refers_to=("Load profiles",)),
        Column("weekend_weight", Number, "Requests of a Saturday or Sunday as a multiple of a weekday's.", default=1, at_least=0, at_most=10),
        Column("cache_write_share", Share, "Share of the prompt's fresh tokens that is billed as written to the cache.", default=0, at_least=0, at_most=1),
        Column("batch_share", Share, "Share of the requests in the batch tier: billed at its discount, and free to wait for hours with room.", default=0, at_least=0, at_most=1),
        Column("off_peak_share", Share, "Share of the requests billed at the off-peak discount.", default=0, at_least=0, at_most=1),
        Column("free_share", Share, "Share of the requests served in a free tier.", default=0, at_least=0, at_most=1),
        Column("retry_share", Share, "Share of the requests that repeat a failed one and are not billed.", default=0, at_least=0, at_most=1),
        Column("aborted_share", Share, "Share of the requests that were broken off and are not billed.", default=0, at_least=0, at_most=1),
        Column("internal_share", Share, "Share of the requests that are our own: tests, evaluations, support.", default=0, at_least=0, at_most=1),
        Column("credit_share", Share, "Share of the invoices that customers settle with credits they were given.", default=0, at_least=0, at_most=1),
        Column("refund_share", Share, "Share of the invoices that is paid back.", default=0, at_least=0, at_most=1),
        Column("demand_growth", Share, "Share by which its requests grow from month to month, season aside.", default=0, at_least=-0.99, at_most=1),
        Column("season", Text, "Row of the Seasons sheet; blank where all months are alike.", default="", refers_to=("Seasons",)),
        *_provenance("the figures"),
    ),
)

LOAD_PROFILES = Sheet(
    "Load profiles",
    "One row per profile and hour of the day: the share of the day's requests that comes in it.",
    (
        Column("load_profile", Text, "Name of the profile, used on the Traffic sheet.", key=True),
        Column("hour", Number, "Hour of the day, from 0 (midnight to one) to 23.", key=True, at_least=0, at_most=23, whole=True),
        Column("weekday_share", Share, "Share of a weekday's requests that comes in this hour.", at_least=0, at_most=1),
        Column("weekend_share", Share, "Share of a Saturday's or Sunday's requests that comes in this hour.", at_least=0, at_most=1),
        *_provenance("the shares"),
    ),
    may_be_empty=True,
)

MONTH_NAMES = (
    *("january", "february", "march", "april", "may", "june", "july"),
    *("august", "september", "october", "november", "december"),
)

SEASONS = Sheet(
    "Seasons",
    "One row per season: how the months of a year differ in requests, growth aside; their mean is about 1.",
    (
        Column("season", Text, "Name used on the Traffic sheet.", key=True),
        *(Column(name, Number, f"Requests of {name.title()} as a multiple of a mean month's.", at_least=0.01, at_most=100) for name in MONTH_NAMES),
        *_provenance("the factors"),
    ),
    may_be_empty=True,
)

TRAFFIC_MIXES = Sheet(
    "Traffic mixes",
    "One row per customer group and class: the share of the class's requests that the group sends.",
    (
        Column("traffic_mix", Text, "Name of the group, used on the Configurations sheet.", key=True),
        Column("traffic", Text, "Class on the Traffic sheet.", key=True, refers_to=("Traffic",)),
        Column("mix_share", Share, "Share of the class's requests that come from this group.", at_least=0, at_most=1),
        Column("customer_discount", Share, "What the group's contract takes off the list prices for this class.", default=0, at_least=0, at_most=1),
        *_provenance("the shares"),
    ),
    may_be_empty=True,
)

PRICES = Sheet(
    "Prices",
    "One row per price list of ours and the days it holds: what a million tokens is sold for.",
    (
        Column("price_list", Text, "Name used on the Configurations sheet; a list whose prices change has a row for each of its prices.", key=True),
        Column("input_price", DollarsPerMillionTokens, "A million input tokens that are computed.", blank="no price: not billed", default=None, at_least=0, at_most=10000),
        Column("cached_input_price", DollarsPerMillionTokens, "A million input tokens found in the cache.", blank="no price: not billed", default=None, at_least=0, at_most=10000),
        Column("cache_write_price", DollarsPerMillionTokens, "A million input tokens billed as written to the cache (Traffic, cache_write_share).", blank="no price: not billed", default=None, at_least=0, at_most=10000),
        Column("output_price", DollarsPerMillionTokens, "A million visible output tokens.", blank="no price: not billed", default=None, at_least=0, at_most=10000),
        Column("reasoning_price", DollarsPerMillionTokens, "A million hidden reasoning tokens; 0 where they are given away.", blank="no price: not billed", default=None, at_least=0, at_most=10000),
        Column("long_context_threshold", TokensPerRequest, "Input tokens of a prompt above which the long-context tier begins.", blank="no such tier", default=0, at_least=0, at_most=1e9, whole=True),
        Column("long_context_input_multiple", Number, "Input prices in that tier, as a multiple; 2 at Anthropic and Google above 200,000 tokens.", default=1, at_least=0, at_most=100),
        Column("long_context_output_multiple", Number, "Output prices in that tier, as a multiple; 1.5 at Anthropic and Google.", default=1, at_least=0, at_most=100),
        Column("batch_discount", Share, "What the batch tier takes off; 50 % at OpenAI, Anthropic and Google.", default=0, at_least=0, at_most=1),
        Column("off_peak_discount", Share, "What off-peak hours take off.", default=0, at_least=0, at_most=1),
        CURRENCY,
        Column("valid_from", Date, "First day the prices hold.", key=True),
        Column("valid_until", Date, "Last day the prices hold.", blank="until further notice", default=None),
        *_provenance("the prices"),
    ),
)

COMMITMENTS = Sheet(
    "Commitments",
    "One row per contract: accelerators that are owned or reserved, and paid for whether they are used or not.",
    (
        Column("contract", Text, "Name of the contract, as the report is to name it.", key=True),
        Column("hardware", Text, "Accelerator on the Hardware sheet.", refers_to=("Hardware",)),
        Column("term", Text, "What binds: owned, or reserved for a year or three.", choices=("owned", "1 year", "3 years")),
        Column("contract_accelerators", Count, "Accelerators that it covers.", at_least=1, at_most=1e7, whole=True),
        Column("contract_price", DollarsPerHour, "One accelerator for an hour; of owned ones all that they cost, used or not.", at_least=0, at_most=1000),
        CURRENCY,
        Column("contract_start", Date, "First day on which it is paid."),
        Column("contract_end", Date, "Last day on which it is paid."),
        *_provenance("the terms"),
    ),
    may_be_empty=True,
)

OTHER_COSTS = Sheet(
    "Other costs",
    "One row per cost of serving beside the accelerators, with what drives it.",
    (
        Column("other_cost_line", Text, "Name of the cost: hosts, storage, egress, support, payment fees.", key=True),
        Column("amount", Amount, "Dollars for each of its driver; of revenue a share, such as 0.029.", at_least=0, at_most=1e9),
        CURRENCY,
        Column("driver", Text, "What the amount is multiplied by. A month's amount falls on requests as the bill does.", choices=DRIVERS),
        Column("model", Text, "Model that it belongs to.", blank="all", default="", refers_to=("Models",)),
        Column("traffic", Text, "Class or mix that it belongs to.", blank="all", default="", refers_to=("Traffic", "Traffic mixes")),
        *_provenance("the figures"),
    ),
    may_be_empty=True,
)

COMPETITORS = Sheet(
    "Competitors",
    "One row per API that could take the place of a model of ours: what it bills for a million tokens.",
    (
        Column("competitor", Text, "Provider and model, as the report is to name them.", key=True),
        Column("provider", Text, "Who sells it.", default=""),
        Column("for_model", Text, "Model of ours that it could take the place of.", blank="that of study_configuration", default="", refers_to=("Models",)),
        Column("api_input_price", DollarsPerMillionTokens, "A million input tokens.", at_least=0, at_most=10000),
        Column("api_cached_price", DollarsPerMillionTokens, "A million input tokens found in its cache.", blank="the price of input", default=None, at_least=0, at_most=10000),
        Column("cache_write_premium", Share, "What writing to its cache adds to the price of input; 0.25 where a write costs 1.25 times.", default=0, at_least=0, at_most=10),
        Column("api_output_price", DollarsPerMillionTokens, "A million output tokens, hidden reasoning among them.", at_least=0, at_most=10000),
        CURRENCY,
        Column("context_limit", TokensPerRequest, "Longest request these prices hold for.", blank="any", default=0, at_least=0, at_most=1e9, whole=True),
        Column("as_of", Date, "The day the prices held."),
        Column("source", Text, "Where the prices were seen."),
        Column("note", Text, "Anything a reader should know.", default=""),
    ),
    may_be_empty=True,
)

EXCHANGE_RATES = Sheet(
    "Exchange rates",
    "One row per currency other than the report's: what one unit of it is worth.",
    (
        Column("currency", Text, "Currency of amounts on other sheets.", key=True, choices=tuple(CURRENCIES)),
        Column("exchange_rate", ExchangeRate, "Amount in the report's currency for one unit of this one.", at_least=0.000001, at_most=1000000),
        Column("rate_date", Date, "The day of the rate, in the month reported."),
        Column("source", Text, "Where the rate was seen."),
        Column("note", Text, "Anything a reader should know.", default=""),
    ),
    may_be_empty=True,
)

CALIBRATION = Sheet(
    "Calibration",
    "One row per set of speed parameters: 'all' is the fit that ships, others are for a stack of yours or a published case.",
    (
        Column("calibration", Text, "Name used on the Configurations sheet.", key=True),
        Column("weight_bandwidth_share", Share, "Memory bandwidth reached when reading weights.", at_least=0.05, at_most=1),
        Column("narrow_weight_share", Share, "Share of those rates that matrices stored in fewer than 8 bits reach, outside the experts.", default=1, at_least=0.05, at_most=1),
        Column("kv_bandwidth_share", Share, "Memory bandwidth reached when reading KV cache.", at_least=0.05, at_most=1),
        Column("decode_compute_share", Share, "Peak compute reached in decode by an accelerator of 1 PFLOP/s.", at_least=0.01, at_most=1),
        Column("prefill_compute_share", Share, "Peak compute reached in prefill by an accelerator of 1 PFLOP/s.", at_least=0.01, at_most=1),
        Column("compute_share_exponent", Number, "How fast the reached share falls as the peak grows.", at_least=0, at_most=1),
        Column("attention_compute_share", Share, "Share of that reached share which attention reaches.", at_least=0.01, at_most=1),
        Column("attention_weight", Number, "1 counts the arithmetic of attention, 0 leaves it out.", at_least=0, at_most=1),
        Column("softness", Number, "1: reading and arithmetic overlap imperfectly (soft maximum); 0: perfectly.", at_least=0, at_most=1),
        Column("layer_overhead", Microseconds, "Software time of a layer in a step.", at_least=0, at_most=10000),
        Column("expert_layer_overhead", Microseconds, "Extra software time of a layer with experts.", at_least=0, at_most=10000),
        Column("sequence_overhead", MicrosecondsPerRequest, "Host time of a sequence in a step.", at_least=0, at_most=10000),
        Column("request_overhead", MillisecondsPerRequest, "Host time of a request before its first token.", at_least=0, at_most=10000),
        Column("collective_overhead", Microseconds, "Fixed time of an all-reduce, for each doubling of the ranks.", at_least=0, at_most=10000),
        Column("link_share", Share, "Link bandwidth reached by all-reduces.", at_least=0.01, at_most=1),
        Column("collective_overlap", Share, "Share of the collectives hidden behind other work.", at_least=0, at_most=1),
        Column("expert_bandwidth_share", Share, "Bandwidth reached when reading experts, relative to other weights.", at_least=0.01, at_most=1),
        Column("expert_compute_share", Share, "Compute reached in experts, relative to other matrices.", at_least=0.01, at_most=1),
        Column("expert_tile", Tokens, "Padding tokens that each touched expert works through.", at_least=0, at_most=10000),
        Column("routing_correlation", Number, "Exponent on the step's tokens: 1 routes each on its own, less where tokens choose alike.", at_least=0.01, at_most=1),
        Column("sparse_index_share", Share, "Sparse attention: share of the context that its index reads.", at_least=0, at_most=1),
        Column("queue_onset_prompts", Number, "Prompts in front of a new one that a small batch adds.", at_least=0, at_most=100),
        Column("queue_prompts_per_sequence", Number, "Prompts in front of a new one for each further sequence.", at_least=0, at_most=10),
        Column("first_token_steps", Number, "Decode steps that come between prefill and the first token.", at_least=0, at_most=100),
        Column("prefill_busy_share", Number, "Share of a prompt's time that a cycle is charged with.", at_least=0, at_most=2),
        Column("prefill_overhead_share", Share, "Share of a step's software time that a prefill pass adds.", at_least=0, at_most=1),
        Column("prefill_chunk", Tokens, "Tokens an engine computes at once in prefill.", at_least=1, at_most=1e8),
        Column("reserved_growth", Share, "Share of an answer's growth for which memory is held.", at_least=0, at_most=1),
        Column("tight_memory_share", Share, "Share of what the weights leave that an engine gives to KV cache when memory is tight.", at_least=0, at_most=1),
        Column("kv_copy_weight", Number, "1: ranks beyond the KV heads copy them; 0: a head is split.", at_least=0, at_most=1),
        Column("yearly_speed_up", Share, "How much faster engines get in a year, on the same accelerator.", default=0, at_least=-0.5, at_most=2),
        Column("calibrated_year", Count, "Year of the engines that the parameters stand for.", blank="age plays no part", default=0, at_least=2015, at_most=2100, whole=True),
        Column("speed_error", Number, "Eight of ten measured speeds lie within the predicted one divided and multiplied by this.", blank="no band: not fitted", default=1, at_least=1, at_most=10),
        Column("first_token_error", Number, "The same of the time to the first token.", blank="no band: not fitted", default=1, at_least=1, at_most=20),
        Column("stack_speed_error", Number, "What speed_error becomes in a row fitted, from this one, on points of one stack.", default=1, at_least=1, at_most=10),
        Column("stack_first_token_error", Number, "What first_token_error becomes in such a row.", default=1, at_least=1, at_most=20),
        Column("unmeasured_error", Number, "What the band widens by, besides, for each: an accelerator, a model, a size it was not fitted on.", default=1, at_least=1, at_most=10),
        Column("measured_context", TokensPerRequest, "Longest context among the points of the fit.", blank="no limit", default=1e9, at_least=1, at_most=1e9),
        Column("measured_ranks", Count, "Most accelerators of a replica among them.", blank="no limit", default=1e6, at_least=1, at_most=1e6),
        Column("measured_batch", Sequences, "Largest batch among them.", blank="no limit", default=1e9, at_least=1, at_most=1e9),
        Column("measured_points", Count, "Measured figures that the row was fitted on.", default=0, at_least=0, at_most=1e6, whole=True),
        Column("interval", Text, "How sure the parameters are.", default=""),
        *_provenance("the parameters"),
    ),
)

# What is one set-up to the speed model: its error is the same in all configurations that agree in these.
STACK = ("model", "hardware", "precision", "calibration")

CONFIGURATIONS = Sheet(
    "Configurations",
    "One row per deployment: a model on accelerators, serving a class or mix of traffic, or an alternative to compare.",
    (
        Column("configuration", Text, "Name of the deployment.", key=True),
        Column("model", Text, "Model on the Models sheet.", refers_to=("Models",)),
        Column("hardware", Text, "Accelerator on the Hardware sheet.", refers_to=("Hardware",)),
        Column("precision", Text, "Precision on the Precisions sheet.", refers_to=("Precisions",)),
        Column("tensor_parallel", Count, "Accelerators that share every layer.", at_least=1, at_most=1024, whole=True),
        Column("pipeline_stages", Count, "Groups of accelerators that hold different layers.", default=1, at_least=1, at_most=256, whole=True),
        Column("attention_data_parallel", Count, "Groups of ranks that serve different sequences in attention.", default=1, at_least=1, at_most=1024, whole=True),
        Column("requested_batch_size", Sequences, "Sequences decoded together; 'max' for what memory allows, 'demand' for those that the hour brings.", at_least=1, at_most=1e6, whole=True, words={"max": 0.0, "demand": -1.0}),
        Column("engine_batch_limit", Sequences, "Most sequences the engine takes, for each attention rank.", default=2048, at_least=1, at_most=1e6, whole=True),
        Column("context_override", TokensPerRequest, "Context to time and size at, where the traffic's lengths are not to decide.", default=0, at_least=0, at_most=1e9),
        Column("shared_pool", Text, "yes: prompts and answers share replicas; no: prefill has a pool of its own.", default="yes", words=YES_NO),
        Column("calibration", Text, "Row of the Calibration sheet: of the serving engine, of a stack of yours, or all.", default="all", refers_to=("Calibration",)),
        Column("engine_year", Count, "Year of the serving engine's release.", blank="as new as those of the calibration", default=0, at_least=2015, at_most=2100, whole=True),
        Column("scheduling", Text, "How prompts and answers take turns: in chunks beside steps, prefill before decode, or decode to the end of a batch before prefill.", blank="as the calibration found its engine", default=AS_CALIBRATED, words=SCHEDULING),
        Column("time_factor", Number, "Steps and prompts take so many times as long as calibrated: 1, unless the error of the speed model is tried out.", default=1, at_least=0.1, at_most=10, alike=STACK),
        Column("price_basis", Text, "Terms on which the accelerators are rented.", choices=tuple(PRICE_BASES)),
        Column("committed_until", Date, "Last day of a commitment for one or three years; after it the fleet follows its demand and its rent the market.", blank="the whole outlook", default=None),
        Column("traffic", Text, "Class on the Traffic sheet, or mix on the Traffic mixes sheet.", refers_to=("Traffic", "Traffic mixes")),
        Column("price_list", Text, "Row of the Prices sheet.", refers_to=("Prices",)),
        Column("requests_share", Share, "Share of the traffic's requests that it serves.", blank="an alternative that is only compared", default=None, at_least=0.000001, at_most=1),
        Column("assumed_utilization", Share, "Load of a configuration whose traffic has no demand.", blank="demand decides", default=None, at_least=0.01, at_most=1),
        Column("minimum_replicas", Count, "Fewest replicas kept.", default=1, at_least=1, at_most=1e6, whole=True),
        Column("maximum_replicas", Count, "Most replicas that can be had.", blank="no limit", default=1e6, at_least=1, at_most=1e6, whole=True),
        Column("spare_replicas", Count, "Replicas of each pool in reserve for one that fails; 1 is N + 1.", default=0, at_least=0, at_most=1000, whole=True),
        Column("scales_hourly", Text, "yes: replicas follow the load of the hour; no: the peak's run around the clock.", default="no", words=YES_NO),
        Column("scales_to_zero", Text, "yes: no replica stays warm without requests, where a cold start is soon over.", default="no", words=YES_NO),
        Column("usable_memory_share", Share, "As on Settings; blank takes the setting.", otherwise="usable_memory_share", at_least=0.3, at_most=1),
        Column("measured_output_speed", TokensPerSecond, "Output tokens per second of one replica where measured; replaces the prediction.", default=0, at_least=0, at_most=1e9),
        Column("measured_input_speed", TokensPerSecond, "Input tokens per second measured beside it.", default=0, at_least=0, at_most=1e9),
        Column("note", Text, "Anything a reader should know.", default=""),
    ),
)


EACH = "each"  # on Uncertainty, in place of a row's name: every row by itself


def _input_named(sheets: tuple[str, ...], blank_row: str, word: str = "") -> tuple[Column, ...]:
    """Which input a row of Sensitivity, Scenarios or Uncertainty is about; `word` explains one that is no name."""
    return (
        Column("input_sheet", Text, "Sheet that the input stands on.", choices=sheets),
        Column("input_column", Text, "Head of its column, on Settings the name of the setting; several that move together are separated by commas."),
        Column("input_row", Text, f"Name of its row, as it stands in the sheet's first column{word}.", blank=blank_row, default=""),
    )


SENSITIVITY = Sheet(
    "Sensitivity",
    "One row per driver: an input that is moved down and up by itself, to see what gross profit and cost do.",
    (
        Column("driver", Text, "What the report calls it; each has a name of its own."),
        *_input_named(CHANGEABLE, "all rows together"),
        Column("low_change", Share, "Share by which it is moved down; -20 % makes it four fifths.", blank="not moved by a share", default=None, at_least=-0.999, at_most=100),
        Column("high_change", Share, "Share by which it is moved up; 20 % makes it six fifths.", blank="not moved by a share", default=None, at_least=-0.999, at_most=100),
        Column("low_value", Number, "Figure that takes its place on the low side, in the unit of its column.", blank="not replaced", default=None, at_least=-1e15, at_most=1e15),
        Column("high_value", Number, "Figure that takes its place on the high side.", blank="not replaced", default=None, at_least=-1e15, at_most=1e15),
        Column("pair", Text, "Two drivers with the same word here make a two-way table: the first across, the second down.", default=""),
        Column("steps", Count, "Values of a driver of a pair from low to high; the value as it is comes with them.", default=5, at_least=2, at_most=9, whole=True),
        Column("note", Text, "Anything a reader should know, such as why the range is likely.", default=""),
    ),
    may_be_empty=True,
)

SCENARIOS = Sheet(
    "Scenarios",
    "One row per change: all rows of a scenario hold at once, and the whole month is calculated again.",
    (
        Column("scenario", Text, "Name of the scenario, the same on each of its rows, such as 'Low' or 'Chat loses a third'."),
        *_input_named(CHANGEABLE, "all rows"),
        Column("change", Share, "Share by which the input changes.", blank="it is replaced", default=None, at_least=-0.999, at_most=100),
        Column("new_value", Number, "Figure that takes its place, in the unit of its column.", blank="it changes by a share, or a name takes its place", default=None, at_least=-1e15, at_most=1e15),
        Column("new_name", Text, "Name or word that takes its place, such as another accelerator.", default=""),
        Column("note", Text, "Anything a reader should know.", default=""),
    ),
    may_be_empty=True,
)

# Sheets that a configuration reads, so that what is uncertain on them makes its figures uncertain.
UNCERTAIN_SHEETS = (
    *("Settings", "Configurations", "Traffic", "Traffic mixes", "Prices", "Exchange rates"),
    *("Hardware", "Models", "Precisions", "Calibration"),
)
UNIFORM, TRIANGULAR, NORMAL, LOGNORMAL, EMPIRICAL = "uniform", "triangular", "normal", "lognormal", "empirical"
# What each distribution is given by. The parameters are multiples of the value that stands in the input's cell.
DISTRIBUTIONS: Mapping[str, tuple[str, ...]] = {
    UNIFORM: ("low", "high"),
    TRIANGULAR: ("low", "high"),
    NORMAL: ("deviation",),
    LOGNORMAL: ("deviation",),
    EMPIRICAL: ("measured_points", "measured_column"),
}
# What may be given besides: the multiple that is likeliest, or the mean one; blank is the value as it stands.
LIKELY = (TRIANGULAR, NORMAL, LOGNORMAL)

_MEASURED = (
    *("measured_request_rate", "measured_output_speed"),
    *("measured_time_to_first_token", "measured_time_per_output_token"),
)

UNCERTAINTY = Sheet(
    "Uncertainty",
    "One row per uncertain input: how far its value may lie from what is typed. All are drawn together.",
    (
        Column("driver", Text, "Name of the uncertain input, as the report is to name it.", key=True),
        *_input_named(UNCERTAIN_SHEETS, "all rows, which move together", f", or {EACH}: every row by itself"),
        Column("distribution", Text, "uniform, triangular: low to high. normal, lognormal: around likely. empirical: as measured points scatter.", choices=tuple(DISTRIBUTIONS)),
        Column("low", Number, "Lowest, as a multiple of the value: 0.8 is a fifth less. For uniform and triangular.", default=None, at_least=0, at_most=1000),
        Column("likely", Number, "Likeliest (triangular) or mean (normal, lognormal), as a multiple of the value.", blank="1, the value as it stands", default=1, at_least=0.001, at_most=1000),
        Column("high", Number, "Highest, as a multiple of the value: 1.2 is a fifth more. For uniform and triangular.", default=None, at_least=0, at_most=1000),
        Column("deviation", Number, "Standard deviation, as a multiple of the value: 0.1 is a tenth of it. For normal and lognormal, which end at four deviations.", default=None, at_least=0.0001, at_most=10),
        Column("measured_points", Text, "Empirical: how the names of the points on Measurements begin whose scatter around their mean it takes.", default=""),
        Column("measured_column", Text, "Empirical: which figure of those points.", default="", choices=_MEASURED),
        Column("correlation_group", Text, "Inputs that move together or against each other have one name here.", blank="moves by itself", default=""),
        Column("correlation", Number, "Correlation of any two inputs of the group, the same in all its rows; below 0 they move against each other.", default=None, at_least=-1, at_most=1),
        *_provenance("the ranges"),
    ),
    may_be_empty=True,
)

MEASUREMENTS = Sheet(
    "Measurements",
    "Measured points, kept with their sources; an empirical distribution on Uncertainty is taken from them.",
    (
        Column("measurement", Text, "Name of the point: one run at one load.", key=True),
        Column("model", Text, "Model that was served; it need not be on the Models sheet."),
        Column("hardware", Text, "Accelerator it ran on; it need not be on the Hardware sheet."),
        Column("precision", Text, "Precision of the weights; it need not be on the Precisions sheet."),
        Column("engine", Text, "Software that served it.", default=""),
        Column("engine_version", Text, "Version of that software.", default=""),
        Column("accelerators", Count, "Accelerators of the replica that was measured.", at_least=1, at_most=1e6, whole=True),
        Column("concurrency", Requests, "Requests in flight at once.", blank="not known", default=None, at_least=1, at_most=1e6),
        Column("input_tokens", TokensPerRequest, "Tokens of a prompt, mean.", blank="not known", default=None, at_least=1, at_most=1e8),
        Column("output_tokens", TokensPerRequest, "Tokens of an answer, mean.", blank="not known", default=None, at_least=1, at_most=1e7),
        Column("measured_request_rate", RequestsPerSecond, "Requests per second that the replica completed.", blank="not measured", default=None, at_least=0.000001, at_most=1e8),
        Column("measured_output_speed", TokensPerSecond, "Output tokens per second of the whole replica.", blank="not measured", default=None, at_least=0, at_most=1e9),
        Column("measured_time_to_first_token", MillisecondsPerRequest, "Time from the request to its first token, mean or as the note says.", blank="not measured", default=None, at_least=0, at_most=1e8),
        Column("measured_time_per_output_token", MillisecondsPerToken, "Time from one token of an answer to the next, mean or as the note says.", blank="not measured", default=None, at_least=0, at_most=1e6),
        Column("source", Text, "Where the point was seen: document, page, log of your own."),
        Column("measured_on", Date, "The day it was measured.", blank="not known", default=None),
        Column("note", Text, "Anything a reader should know.", default=""),
    ),
    may_be_empty=True,
)

# What a month's amounts may be, each with the unit it is in.
INVOICE, BILLING, TOKENS, HOURS = "invoice", "billed revenue", "metered tokens", "accelerator-hours"
COST_BUDGET, REVENUE_BUDGET = "budgeted cost", "budgeted revenue"
ACTUAL_LINES: Mapping[str, Any] = {
    INVOICE: DollarsPerMonth,
    BILLING: DollarsPerMonth,
    TOKENS: MillionTokensPerMonth,
    HOURS: HoursPerMonth,
    COST_BUDGET: DollarsPerMonth,
    REVENUE_BUDGET: DollarsPerMonth,
}
BUDGETS, PRICED = (COST_BUDGET, REVENUE_BUDGET), (TOKENS, HOURS)

ACTUALS = Sheet(
    "Actuals",
    "One row per month and line: what was invoiced, billed, metered or budgeted. Rows of a month and line add up.",
    (
        Column("actual_month", Month, "Month of the figure, as any day of it."),
        Column("line", Text, "What was invoiced for accelerators, billed to customers, metered or budgeted.", choices=tuple(ACTUAL_LINES)),
        Column("provider", Text, "Who invoiced, or what was metered, where a line has several.", default=""),
        Column("amount", Count, "$ for invoices, billed revenue and budgets; million tokens, input and visible output, as sold; hours for accelerator-hours. A credit is an invoice below zero.", at_least=-1e12, at_most=1e12),
        Column("unit_price", Number, "Beside accelerator-hours what the contract says one costs, in $; beside metered tokens what a million was sold for, in $.", blank="not known; price is then not told from the rest", default=None, at_least=0, at_most=1e5),
        Column("source", Text, "Number of the invoice, meter or plan it was read from. Write 'assumption' where it is one."),
        Column("note", Text, "Anything a reader should know.", default=""),
    ),
    may_be_empty=True,
)

CHANGE_LOG = Sheet(
    "Change log",
    "One row per change of this workbook.",
    (
        Column("changed_on", Date, "When.", default=None),
        Column("who", Text, "Who changed it.", default=""),
        Column("what", Text, "What was changed.", default=""),
        Column("why", Text, "Why.", default=""),
    ),
    may_be_empty=True,
)

SHEETS = (
    SETTINGS,
    CONFIGURATIONS,
    TRAFFIC,
    LOAD_PROFILES,
    SEASONS,
    TRAFFIC_MIXES,
    PRICES,
    OTHER_COSTS,
    COMPETITORS,
    EXCHANGE_RATES,
    HARDWARE,
    COMMITMENTS,
    MODELS,
    PRECISIONS,
    CALIBRATION,
    SENSITIVITY,
    SCENARIOS,
    UNCERTAINTY,
    MEASUREMENTS,
    ACTUALS,
    CHANGE_LOG,
)
BY_NAME = {sheet.name: sheet for sheet in SHEETS}

CHOICES = (
    Choice("peak_compute", "compute", "Hardware", COMPUTE),
    Choice("required_compute", "requires", "Hardware", COMPUTE),
    Choice("accelerator_price", "price_basis", "Hardware", PRICE_BASES),
)

# A workbook's layout, the same on every sheet: title in A1, purpose in A2, units, heads, then the rows.
TITLE_ROW, PURPOSE_ROW, UNIT_ROW, HEAD_ROW, FIRST_ROW = 1, 2, 3, 4, 5
