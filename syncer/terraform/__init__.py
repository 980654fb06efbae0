"""The management account as HCL: what kintone wants there, for the company's own Terraform to carry out."""
