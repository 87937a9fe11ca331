"""The bench: how fast the real program is, against the budgets of the design and the limit of its engine."""
