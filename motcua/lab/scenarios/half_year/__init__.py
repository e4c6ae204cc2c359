"""The half year of 2017 at the centre of Bình Phước, with dossiers drawn at random from a seed."""
