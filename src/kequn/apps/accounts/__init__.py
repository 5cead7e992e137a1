"""Users, teams, branches, roles, and whose customers a person may see."""
