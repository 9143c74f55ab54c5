"""The world served as real APIs. A face answers an Ask with a Reply; `serve` alone knows HTTP servers."""
