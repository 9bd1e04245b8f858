"""The index of what messages say: words for SEARCH, keys for SORT and THREAD, kept behind delivery."""
