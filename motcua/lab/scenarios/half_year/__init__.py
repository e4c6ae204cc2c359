"""The half year of 2017 at the centre of Bình Phước, drawn by lot: who came, what was done, and when; nothing else."""
