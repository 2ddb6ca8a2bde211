"""The numbers that services hold strangers and users to: the `[limits]` table.

The struct is declared with the other settings, because what reads the file
stands below the services (see `postroad.config.limits`).
"""

from postroad.config.limits import Limits

__all__ = ["Limits"]
