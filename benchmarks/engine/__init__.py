"""How much faster the library trains, samples and scores than a loop written from the recipe."""
