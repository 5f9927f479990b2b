"""Every public function says which types it takes and gives; whether that is so, `make lint` asks mypy."""

import importlib
import inspect

import pytest

from utils.settings import ROOT

MODULES = sorted(path.stem for path in (ROOT / "utils").glob("*.py") if path.stem != "__init__")


def public_functions(name):
    """Functions and methods that the module itself defines, without those that begin with `_`."""
    module = importlib.import_module(f"utils.{name}")
    for label, thing in vars(module).items():
        thing = getattr(thing, "python_function", thing)  # of a tf.function
        if label.startswith("_") or getattr(thing, "__module__", "") != module.__name__:
            continue
        if inspect.isfunction(thing):
            yield label, thing
        elif inspect.isclass(thing):
            methods = {key: value for key, value in vars(thing).items() if inspect.isfunction(value)}
            yield from ((f"{label}.{key}", value) for key, value in methods.items() if key[0] != "_")


@pytest.mark.parametrize("name", MODULES)
def test_public_functions_say_their_types(name):
    found = 0
    for label, function in public_functions(name):
        signature = inspect.signature(function)
        parameters = [value for key, value in signature.parameters.items() if key != "self"]
        silent = [value.name for value in parameters if value.annotation is inspect.Parameter.empty]
        assert not silent, f"{label}: {silent}"
        assert signature.return_annotation is not inspect.Signature.empty, label
        found += 1
    assert found
