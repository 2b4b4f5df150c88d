"""What an operator was set to, in words."""

from collections.abc import Sequence

from evo_ntm.experiment import Experiment

# Operators that are no choice of the task file: the settings of their strategy that shape them.
OF_STRATEGIES = {
    "follow_gradient": ("sigma", "learning_rate", "averaging"),
    "recombine": ("sigma",),
}


def parameters(experiment: Experiment, operators: Sequence[str]) -> str:
    """Say what operators were set to; of several, by name. Empty where nothing is set of them."""
    told = {name: _told(experiment, name) for name in operators}
    told = {name: words for name, words in told.items() if words}
    if len(operators) == 1:
        return "".join(told.values())
    return "; ".join(f"{name}: {words}" for name, words in told.items())


def _told(experiment: Experiment, operator: str) -> str:
    settings = experiment.evolve
    if operator in OF_STRATEGIES:
        names = [name for name in OF_STRATEGIES[operator] if hasattr(settings, name)]
        first = "first " if operator == "recombine" else ""
        return ", ".join(f"{first}{_words(name)} {getattr(settings, name):g}" for name in names)
    chosen = settings.operators.get(operator)
    if chosen is None:
        return ""
    own = chosen.model_dump(exclude={"share"}, exclude_none=True)
    inherited = operator == "perturb" and "sigma" not in own and hasattr(settings, "sigma")
    words = [f"{_words(name)} {value:g}" if isinstance(value, float) else f"{_words(name)} {value}"
             for name, value in own.items()]  # fmt: skip
    return ", ".join([*words, *(["sigma inherited"] if inherited else [])])


def _words(name: str) -> str:
    return name.replace("_", " ")
