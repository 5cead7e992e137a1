"""The version that every stored result names as one of its parents."""

VERSION = "0.1.0"
