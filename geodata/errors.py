"""geodata.errors: the errors that a person can mend; they know nothing of who raises them."""


class KilnlightError(Exception):
    """One sentence for a person: what happened, with the value, and what to do."""


class InputError(KilnlightError):
    """A file, option or table that cannot be used as it is."""


class BusyError(KilnlightError):
    """Somebody else is writing; the same thing can be done in a moment."""


class ProblemsError(InputError):
    """Several problems that were found before anything was run, listed at once."""

    def __init__(self, problems: list[str]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(problems))
