"""One file a fault: it changes the world at a moment, and consequences follow. A module offers FAULT, OPTIONS, strike."""  # noqa: E501
