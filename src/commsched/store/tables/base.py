"""What all tables share: their list, and how bytes and keys are kept."""

from __future__ import annotations

import sqlalchemy
from sqlalchemy import Dialect, LargeBinary, MetaData

metadata = MetaData()


class Bytes(LargeBinary):
    """Bytes as the drivers take and give them.

    SQLAlchemy would wrap each value that goes in and copy each that comes out, which made imports slower by a third.
    """

    def bind_processor(self, dialect: Dialect) -> None:
        """Nothing is done to a value on its way in."""
        del dialect

    def result_processor(self, dialect: Dialect, coltype: object) -> None:
        """Nothing is done to a value on its way out."""
        del dialect, coltype


# Keys stand in the order of their bytes, whatever language the database speaks: ranges and locks rest on that order.
Text = sqlalchemy.Text().with_variant(sqlalchemy.Text(collation="C"), "postgresql")
