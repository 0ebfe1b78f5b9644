"""What the simulated Sage says no to."""


class Refused(Exception):
    """A request that is understood and refused. `field` names the part of the body or query at fault."""

    def __init__(self, message: str, field: str = "", status: int = 400) -> None:
        super().__init__(message)
        self.message = message
        self.field = field
        self.status = status
