"""Policy as data: packs of documents and standards, read, checked and turned into plans."""

from kequn.policy.loading import load_pack
from kequn.policy.pack import Pack
from kequn.policy.planning import build_plan

__all__ = ["Pack", "build_plan", "load_pack"]
