"""The half year of 2017 at the centre of Bình Phước, drawn at random from a seed: arrivals and handling only."""
