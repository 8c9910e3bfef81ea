"""Puts DuckDB's extensions where DuckDB looks for those that INSTALL has fetched: readers_finish.py HOME"""
import glob
import os
import sys

import duckdb
import duckdb_extension_avro
import duckdb_extension_iceberg

((platform,),) = duckdb.sql("PRAGMA platform").fetchall()
folder = os.path.join(sys.argv[1], ".duckdb", "extensions", "v" + duckdb.__version__, platform)
os.makedirs(folder)
for module in (duckdb_extension_avro, duckdb_extension_iceberg):
    (path,) = glob.glob(os.path.join(os.path.dirname(module.__file__), "extensions", "*", "*.duckdb_extension"))
    os.link(path, os.path.join(folder, os.path.basename(path)))
