"""The world as series, in the names and labels of the usual exporters; each a function of time."""
