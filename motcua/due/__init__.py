"""The derivation of `motcua due`: one due date as sentences, or with `--jsonl` one JSON answer for each JSON line."""
