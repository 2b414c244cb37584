"""A user's own table of studies: read, its columns recognised, every cell understood or refused."""

from kyphobayes.own_data.kinds import KINDS, ROLES
from kyphobayes.own_data.read import OwnData, read_own_data

__all__ = ["KINDS", "ROLES", "OwnData", "read_own_data"]
