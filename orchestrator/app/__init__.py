"""Use cases, and the only place that knows which parts are plugged together."""
