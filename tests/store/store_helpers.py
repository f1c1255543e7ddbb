"""What several tests of the store need."""

from sqlalchemy import Connection, select

from geodata.store.schema import events, metadata
from geodata.store.store import Store


def dump(store: Store) -> dict[str, list[tuple[object, ...]]]:
    """All derived tables, R*Tree included, as sorted rows."""

    def rows(connection: Connection) -> dict[str, list[tuple[object, ...]]]:
        tables = {
            table.name: sorted(tuple(map(repr, row)) for row in connection.execute(select(table)))
            for table in metadata.sorted_tables
            if table is not events
        }
        boxes = connection.exec_driver_sql("SELECT * FROM site_boxes")
        return tables | {"site_boxes": sorted(tuple(map(repr, row)) for row in boxes)}

    with store.reading() as connection:
        return rows(connection)
