"""What people write back: their own words out of a mail, and what these mean, conservatively."""
