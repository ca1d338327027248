"""What the product costs, beside what it is measured by: one command, ratios, no timed test."""
