class _O:
    module = "noise.shape"


OPERATORS = dict.fromkeys(("ddpm", "sdm", "hdm", "sagd_powerlaw", "sagd_bandpass"), _O)
