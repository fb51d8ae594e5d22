"""Who asked to be erased: requests until they are done, tombstones for ever."""
