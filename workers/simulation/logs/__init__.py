"""What programs wrote: lines in the manner of Python and Go services and of data stores, with noise."""
