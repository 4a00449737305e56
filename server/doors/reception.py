"""Reception: all that the doors of one node share.

Limits of connections, of people and of memory hold for all doors together.
"""

import time
from collections.abc import Callable

from crdt.budget import Account, Budget, payer, unbounded
from server.auth.base import Authenticator, Identity
from server.doors.entrance import Complaints, Entrance, Origins, UserConnections
from server.doors.limits import GatewayLimits
from server.doors.sweeper import Sweeper
from server.rooms import Rooms


class Reception:
    """The shared parts. `now`: unix seconds.

    `budget`: what people may make this node hold; None for as much as they like.
    """

    def __init__(
        self,
        rooms: Rooms,
        authenticator: Authenticator,
        limits: GatewayLimits | None = None,
        origins: Origins | None = None,
        now: Callable[[], float] = time.time,
        budget: Budget | None = None,
    ) -> None:
        self.rooms = rooms
        self.authenticator = authenticator
        self.limits = limits or GatewayLimits()
        self.origins = origins or Origins()
        self.now = now
        self.budget = budget or unbounded()
        self.entrance = Entrance(self.limits)
        self.users = UserConnections(self.limits.connections_per_user)
        self.complaints = Complaints()
        self.sweeper = Sweeper(self.budget, self.limits.stall_seconds)

    def account(self, identity: Identity, address: str) -> Account:
        """Return the account that pays for what a connection of this person makes us hold."""
        return self.budget.of(payer(identity.user.user_id if identity.lasting else None, address))
