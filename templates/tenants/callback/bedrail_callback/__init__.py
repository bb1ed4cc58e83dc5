"""Records model calls of a LangChain application in CloudWatch Logs of the account that makes them.

The account whose model quota is used keeps nothing; the record of a call is the caller's alone.
"""

from .delivery import Delivery
from .handler import CallbackHandler
from .session import operations_session

__all__ = ["CallbackHandler", "Delivery", "operations_session"]
