"""Set-ups: the formulas of a configuration that is only tried out, without a draft model and with one."""

from __future__ import annotations

from engine.formulas import setups
from engine.formulas.groups.answers import SPECULATION_FORMULAS
from engine.formulas.groups.configuration import FORMULAS
from engine.formulas.groups.renaming import Formulas, again, formulas_of, needs

SETUP_FORMULAS: Formulas = formulas_of(setups)


def _read_instead(names: set[str], **renames: str) -> Formulas:
    """These formulas of a configuration under their own names, with other quantities in the place of what they read."""
    formulas = {name: FORMULAS[name] for name in FORMULAS if name in names}
    return again(formulas, "", **{name: name for name in names}, **renames)


def _users(quantity: str) -> set[str]:
    """The formulas of a configuration's own step and prompts that read a quantity; not those of the passes before."""
    return {name for name, formula in FORMULAS.items() if quantity in needs(formula) and not name.endswith("_pass")}


# What is held decides how many sequences fit. Without a draft model what it would add is given as nothing.
_HELD = ("copied_weight_memory", "held_weight_memory", "held_kv_cache_per_token")
PLAIN_FORMULAS: Formulas = {
    **FORMULAS,
    **{name: SETUP_FORMULAS[name] for name in _HELD},
    **_read_instead({"free_memory"}, weight_memory="held_weight_memory"),
    **_read_instead({"sequence_memory"}, kv_cache_per_token="held_kv_cache_per_token"),
}
UNDRAFTED = {"draft_weight_memory": 0.0, "draft_kv_cache_per_token": 0.0}

# A first token waits for whole passes, an answer for its tokens.
_FIRST = {"time_to_first_token"}
DRAFTED_FORMULAS: Formulas = {
    **PLAIN_FORMULAS,
    **SPECULATION_FORMULAS,
    **SETUP_FORMULAS,
    **_read_instead(
        (_users("step_time") | _users("prefill_time")) - _FIRST,
        step_time="drafted_step_time",
        prefill_time="drafted_prefill_time",
    ),
    **_read_instead(_FIRST, step_time="pass_time", prefill_time="drafted_prefill_time"),
}
