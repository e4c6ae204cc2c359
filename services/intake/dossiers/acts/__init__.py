"""One module per act: its rule, the schema of its data, its decision and what its event changes in the dossier."""
