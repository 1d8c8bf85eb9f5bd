"""`ccusage config`: the config file."""

from __future__ import annotations

from ..config import LABELS, RATES, from_environment
from ..options import SECTIONS
from .console import Console
from .parser import Commands, add_actions, add_command

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ..options import Option
    from ..prices.stored import Packed


def add(commands: Commands, name: str) -> None:
    actions = add_actions(commands, name, "show the settings of the config file", run_show)
    add_command(actions, "show", run_show, help="show every setting and where it comes from")
    add_command(actions, "path", run_path, help="print where the file is")


def run_show(console: Console) -> None:
    """Print every setting and where it comes from."""
    config = console.config
    lines = [f"# {config.path}{'' if config.exists else ' (does not exist)'}\n"]
    for section, options in SECTIONS.items():
        lines.append(f"\n[{section}]\n")
        for option in options:
            from_env = from_environment(option, console.environ)
            from_file = config.values.get(section, {}).get(option.key)
            if from_env is not None:
                lines.append(f"{option.key} = {_toml(from_env)}  # from {option.variable}\n")
            elif from_file is not None:
                lines.append(f"{option.key} = {_toml(from_file)}\n")
            else:
                lines.append(f"# {option.key}{_default_text(option)}\n")
    for model, packed in sorted(config.prices.items()):
        lines.append(f"\n[prices.models.{_toml(model)}]\n{_price(packed)}")
    for section, labels in zip(LABELS, (config.labels, config.project_labels), strict=True):
        lines += [f"\n[{section}]\n"] if labels else []
        lines += [f"{_toml(name)} = {_toml(label)}\n" for name, label in sorted(labels.items())]
    console.out("".join(lines))


def _default_text(option: Option) -> str:
    """Return the default of an option as the end of its line: a value, or words if the file could not contain it."""
    if option.kind == "choice":
        return f" = {_toml(option.default)}"
    is_value = option.kind in ("flag", "percentage", "seconds")
    return f" = {option.default}" if is_value else f": {option.default}"


def _toml(value: object) -> str:
    """Return a value as it is written in the file, escaped for a screen."""
    if isinstance(value, bool):
        return str(value).lower()
    if not isinstance(value, str):
        return str(value)
    escaped = value.replace("\\", "\\\\").replace('"', '\\"')
    return '"' + "".join(c if c.isprintable() else f"\\U{ord(c):08x}" for c in escaped) + '"'


def _price(packed: Packed) -> str:
    from ..prices.table import ONE, UNIT

    lines = [f"{name} = {rate * 1_000_000 / UNIT:.15g}\n" for name, rate in zip(RATES, packed[:5], strict=True)]
    factors = zip(("fast", "us"), packed[7:9], strict=True)
    lines += [f"{name} = {factor / ONE:g}\n" for name, factor in factors if factor != ONE]
    if packed[9] is not None:
        lines.append(f"context-window = {packed[9]}\n")
    return "".join(lines)


def run_path(console: Console) -> None:
    """Print the path of the config file, which need not be readable."""
    console.out(console.config.path + "\n")
