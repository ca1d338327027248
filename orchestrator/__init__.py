"""Remote remediation of MSExchangeTransport event 11012 on on-premises Exchange."""
