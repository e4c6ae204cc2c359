"""A centre on one machine: embedded Kafka and Postgres, message sinks, and the services as processes."""
