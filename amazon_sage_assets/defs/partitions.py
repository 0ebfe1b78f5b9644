"""Partitions. A settlement is discovered, never scheduled; its partition is never deleted."""

import dagster as dg

SETTLEMENT = dg.DynamicPartitionsDefinition(name="settlement")
