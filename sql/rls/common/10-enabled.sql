-- Row-level security is on for every table of the control plane, in both phases. Table owners are exempt.

alter table platform.organizations enable row level security;
alter table platform.organization_members enable row level security;
alter table platform.organization_invitations enable row level security;
alter table platform.organization_feature_flags enable row level security;
alter table platform.projects enable row level security;
alter table platform.project_members enable row level security;
alter table platform.project_addons enable row level security;
alter table platform.project_metrics enable row level security;
alter table platform.subscriptions enable row level security;
alter table platform.invoices enable row level security;
alter table platform.payment_methods enable row level security;
alter table platform.tax_ids enable row level security;
alter table platform.customer_profiles enable row level security;
alter table platform.credits enable row level security;
alter table platform.disk_config enable row level security;
alter table platform.compute_config enable row level security;
alter table platform.addons enable row level security;
alter table platform.usage_metrics enable row level security;
alter table platform.users enable row level security;
alter table platform.user_sessions enable row level security;
alter table platform.api_keys enable row level security;
alter table platform.audit_logs enable row level security;
alter table platform.feature_flags enable row level security;
alter table platform.billing_plans enable row level security;
alter table platform.credentials enable row level security;
alter table platform.databases enable row level security;
