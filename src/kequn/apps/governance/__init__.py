"""Who checks whom: approvals of any record kind, and policy documents with a life of their own."""
