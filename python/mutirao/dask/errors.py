"""Failures as messages carry them."""


def describe(error):
    """An exception as {"code", "message", "help"}."""
    code = getattr(error, "code", None)
    text = str(error) or type(error).__name__
    known = isinstance(code, str)
    return {"code": code if known else "unavailable", "message": text if known else f"{type(error).__name__}: {text}",
            "help": getattr(error, "help", "")}
