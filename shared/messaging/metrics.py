"""The Prometheus metrics of consumer and relay."""

from shared.runtime.metrics import counter, gauge, histogram

APPLIED = counter("motcua_consumer_applied_total", "Records that took effect.", ("topic",))
PARKED = counter("motcua_consumer_parked_total", "Records parked because they could not be applied.", ("topic",))
RETRIES = counter("motcua_consumer_retries_total", "Transactions retried after a transient error.", ("topic",))
BATCH = histogram(
    "motcua_consumer_batch_seconds",
    "Duration of one partition's transaction attempt.",
    ("topic",),
    buckets=(0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30),
)
LAG = gauge("motcua_consumer_lag_records", "Records behind the end of the partition.", ("topic", "partition"))
STOPPED = gauge("motcua_consumer_stopped_partitions", "1 for a partition that cannot continue.", ("topic", "partition"))
QUARANTINED = gauge("motcua_consumer_quarantined_records", "Records in the quarantine table.", ("reason",))
OUTBOX = gauge("motcua_relay_outbox_rows", "Events that Kafka has not acknowledged yet, as last counted.")
RELAYED = counter("motcua_relay_events_total", "Events that Kafka acknowledged.", ("topic",))
LEADER = gauge("motcua_relay_active_replicas", "1 while this replica's relay holds the lock.")
