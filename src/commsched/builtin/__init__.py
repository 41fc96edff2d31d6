"""What ships with commsched: plugins like anyone's, made of the public names alone."""
