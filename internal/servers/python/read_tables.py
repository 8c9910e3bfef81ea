"""Reads Iceberg tables, deletes applied: read_tables.py duckdb|pyiceberg

Requests, answers and the spelling of values are those of ReadTables.java. Rows come as Arrow from both libraries.
"""
import base64
import glob
import json
import os
import sys
import uuid

import pyarrow as pa


def date(days):
    """The ISO date, also of the years that Python's own dates lack. The algorithm is Howard Hinnant's civil_from_days."""
    z = days + 719468
    era, doe = divmod(z, 146097)
    yoe = (doe - doe // 1460 + doe // 36524 - doe // 146096) // 365
    doy = doe - (365 * yoe + yoe // 4 - yoe // 100)
    mp = (5 * doy + 2) // 153
    month = mp + 3 if mp < 10 else mp - 9
    year = yoe + era * 400 + (month <= 2)
    sign = "-" if year < 0 else "+" if year > 9999 else ""
    return f"{sign}{abs(year):04d}-{month:02d}-{doy - (153 * mp + 2) // 5 + 1:02d}"


def time(units, digits):
    seconds, fraction = divmod(units, 10**digits)
    return f"{seconds // 3600:02d}:{seconds // 60 % 60:02d}:{seconds % 60:02d}.{fraction:0{digits}d}"


DIGITS = {"us": 6, "ns": 9}


def spell(scalar):
    """The JSON value of one Arrow scalar."""
    t = scalar.type
    if not scalar.is_valid or pa.types.is_null(t):
        return None
    if isinstance(t, pa.UuidType):
        return str(uuid.UUID(bytes=scalar.value.as_py()))
    if pa.types.is_boolean(t) or pa.types.is_integer(t) or pa.types.is_string(t) or pa.types.is_large_string(t):
        return scalar.as_py()
    if pa.types.is_floating(t):
        v = scalar.as_py()
        return v if v - v == 0 else {"inf": "Infinity", "-inf": "-Infinity"}.get(repr(v), "NaN")
    if pa.types.is_decimal(t):
        return format(scalar.as_py(), "f")
    if pa.types.is_date32(t):
        return date(scalar.value)
    if pa.types.is_time64(t):
        return time(scalar.value, DIGITS[t.unit])
    if pa.types.is_timestamp(t):
        digits = DIGITS[t.unit]
        days, rest = divmod(scalar.value, 86400 * 10**digits)
        return date(days) + "T" + time(rest, digits) + ("Z" if t.tz else "")
    if pa.types.is_binary(t) or pa.types.is_large_binary(t) or pa.types.is_fixed_size_binary(t):
        return base64.b64encode(scalar.as_py()).decode()
    if pa.types.is_struct(t):
        return {name: spell(v) for name, v in scalar.items()}
    if pa.types.is_map(t):
        return [[spell(e["key"]), spell(e["value"])] for e in scalar.values]
    if pa.types.is_list(t) or pa.types.is_large_list(t):
        return [spell(v) for v in scalar.values]
    raise NotImplementedError(f"no spelling for type {t}")


def duckdb_reader():
    import duckdb
    import duckdb_extension_avro
    import duckdb_extension_iceberg

    db = duckdb.connect(config={"autoinstall_known_extensions": "false"})
    for module in (duckdb_extension_avro, duckdb_extension_iceberg):  # iceberg needs avro
        (path,) = glob.glob(os.path.join(os.path.dirname(module.__file__), "extensions", "*", "*.duckdb_extension"))
        db.execute(f"LOAD '{path}'")

    def read(metadata, snapshot):
        text = metadata.replace("'", "''")
        at = "" if snapshot is None else f", snapshot_from_id={snapshot:d}"
        return db.execute(f"FROM iceberg_scan('{text}'{at})").to_arrow_table()

    return read


def pyiceberg_reader():
    from pyiceberg.table import StaticTable

    def read(metadata, snapshot):
        return StaticTable.from_metadata(metadata).scan(snapshot_id=snapshot).to_arrow()

    return read


def main():
    out = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)  # a library that prints must not print into an answer
    read = {"duckdb": duckdb_reader, "pyiceberg": pyiceberg_reader}[sys.argv[1]]()
    for line in sys.stdin:
        request = json.loads(line)
        try:
            table = read(request["metadata"], request.get("snapshot"))
            columns = [(name, table.column(i)) for i, name in enumerate(table.column_names)]
            for i in range(table.num_rows):
                print(json.dumps({"row": {name: spell(column[i]) for name, column in columns}}), file=out)
            end = {"end": table.num_rows}
        except Exception as e:
            end = {"error": f"{type(e).__name__}: {e}"}
        print(json.dumps(end), file=out, flush=True)


main()
