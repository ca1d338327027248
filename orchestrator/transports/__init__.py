"""Ways to a server: the PowerShell remoting protocol, and programs run over WinRM."""
