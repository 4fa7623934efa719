// Written by `npm run types`. Do not edit: change the SQL, update the database, and run it again.

/** What a json or jsonb column holds. */
export type Json = null | boolean | number | string | Json[] | { [key: string]: Json };
/** Given as a parameter: a text is taken for JSON, so a list or a text of JSON has to be stringified. */
export type JsonInput = string | { [key: string]: Json };
/** An interval as `pg` parses it; parts that are zero are missing. */
export interface Interval {
  years?: number;
  months?: number;
  days?: number;
  hours?: number;
  minutes?: number;
  seconds?: number;
  milliseconds?: number;
}
/** What a function that finds no row gives. */
export type Nullable<Row> = { [Column in keyof Row]: Row[Column] | null };
export interface Point {
  x: number;
  y: number;
}

/** platform.addons: Add-ons of a project by type; not a catalogue */
export interface AddonsRow {
  id: string;
  project_id: string;
  addon_type: "pitr" | "custom_domain" | "ipv4" | "compute_instance" | "disk_expansion";
  addon_variant: string;
  quantity: number | null;
  price_per_unit: string | null;
  metadata: Json | null;
  status: "active" | "inactive" | null;
  activated_at: Date | null;
  deactivated_at: Date | null;
  created_at: Date | null;
  updated_at: Date | null;
}

/** What an INSERT into platform.addons gives. */
export interface AddonsInsert {
  id?: string;
  project_id: string;
  addon_type: "pitr" | "custom_domain" | "ipv4" | "compute_instance" | "disk_expansion";
  addon_variant: string;
  quantity?: number | null;
  price_per_unit?: string | number | bigint | null;
  metadata?: JsonInput | null;
  status?: "active" | "inactive" | null;
  activated_at?: Date | string | null;
  deactivated_at?: Date | string | null;
  created_at?: Date | string | null;
  updated_at?: Date | string | null;
}

/** What an UPDATE of platform.addons may set. */
export type AddonsUpdate = Partial<AddonsInsert>;

/** platform.api_keys: Platform API keys of a user within an organization; only the hash of a key is kept */
export interface ApiKeysRow {
  id: string;
  organization_id: string;
  user_id: string;
  name: string;
  key_prefix: string;
  key_hash: string;
  scopes: Json | null;
  last_used_at: Date | null;
  expires_at: Date | null;
  revoked_at: Date | null;
  created_at: Date | null;
}

/** What an INSERT into platform.api_keys gives. */
export interface ApiKeysInsert {
  id?: string;
  organization_id: string;
  user_id: string;
  name: string;
  key_prefix: string;
  key_hash: string;
  scopes?: JsonInput | null;
  last_used_at?: Date | string | null;
  expires_at?: Date | string | null;
  revoked_at?: Date | string | null;
  created_at?: Date | string | null;
}

/** What an UPDATE of platform.api_keys may set. */
export type ApiKeysUpdate = Partial<ApiKeysInsert>;

/** platform.audit_logs: Audit trail; a row without organization is a system event */
export interface AuditLogsRow {
  id: string;
  organization_id: string | null;
  project_id: string | null;
  user_id: string | null;
  event_type: string;
  resource_type: string | null;
  resource_id: string | null;
  action: string;
  ip_address: string | null;
  user_agent: string | null;
  metadata: Json | null;
  severity: "info" | "warning" | "error" | "critical" | null;
  created_at: Date | null;
}

/** What an INSERT into platform.audit_logs gives. */
export interface AuditLogsInsert {
  id?: string;
  organization_id?: string | null;
  project_id?: string | null;
  user_id?: string | null;
  event_type: string;
  resource_type?: string | null;
  resource_id?: string | null;
  action: string;
  ip_address?: string | null;
  user_agent?: string | null;
  metadata?: JsonInput | null;
  severity?: "info" | "warning" | "error" | "critical" | null;
  created_at?: Date | string | null;
}

/** What an UPDATE of platform.audit_logs may set. */
export type AuditLogsUpdate = Partial<AuditLogsInsert>;

/** platform.billing_plans: Plan catalogue; a maximum of -1 means unlimited */
export interface BillingPlansRow {
  id: string;
  name: string;
  description: string | null;
  price: string;
  interval: "month" | "year";
  features: Json | null;
  limits: Json | null;
  max_projects: number | null;
  max_members: number | null;
  active: boolean | null;
  sort_order: number | null;
  created_at: Date | null;
  updated_at: Date | null;
}

/** What an INSERT into platform.billing_plans gives. */
export interface BillingPlansInsert {
  id: string;
  name: string;
  description?: string | null;
  price: string | number | bigint;
  interval: "month" | "year";
  features?: JsonInput | null;
  limits?: JsonInput | null;
  max_projects?: number | null;
  max_members?: number | null;
  active?: boolean | null;
  sort_order?: number | null;
  created_at?: Date | string | null;
  updated_at?: Date | string | null;
}

/** What an UPDATE of platform.billing_plans may set. */
export type BillingPlansUpdate = Partial<BillingPlansInsert>;

/** platform.compute_config: Compute size of a project, one row each */
export interface ComputeConfigRow {
  id: string;
  project_id: string;
  instance_size: "nano" | "micro" | "small" | "medium" | "large" | "xlarge" | "2xlarge" | "4xlarge" | "8xlarge" | "12xlarge" | "16xlarge";
  cpu_cores: string | null;
  memory_gb: string | null;
  architecture: string | null;
  is_dedicated: boolean | null;
  status: "active" | "inactive" | "upgrading" | null;
  created_at: Date | null;
  updated_at: Date | null;
}

/** What an INSERT into platform.compute_config gives. */
export interface ComputeConfigInsert {
  id?: string;
  project_id: string;
  instance_size?: "nano" | "micro" | "small" | "medium" | "large" | "xlarge" | "2xlarge" | "4xlarge" | "8xlarge" | "12xlarge" | "16xlarge";
  cpu_cores?: string | number | bigint | null;
  memory_gb?: string | number | bigint | null;
  architecture?: string | null;
  is_dedicated?: boolean | null;
  status?: "active" | "inactive" | "upgrading" | null;
  created_at?: Date | string | null;
  updated_at?: Date | string | null;
}

/** What an UPDATE of platform.compute_config may set. */
export type ComputeConfigUpdate = Partial<ComputeConfigInsert>;

/** platform.credentials: API keys and signing secret of a project; anon_key alone is public */
export interface CredentialsRow {
  id: string;
  project_id: string;
  anon_key: string;
  service_role_key: string;
  jwt_secret: string;
  created_at: Date;
  updated_at: Date;
}

/** What an INSERT into platform.credentials gives. */
export interface CredentialsInsert {
  id?: string;
  project_id: string;
  anon_key: string;
  service_role_key: string;
  jwt_secret: string;
  created_at?: Date | string;
  updated_at?: Date | string;
}

/** What an UPDATE of platform.credentials may set. */
export type CredentialsUpdate = Partial<CredentialsInsert>;

/** platform.credits: Promotional credit balances of an organization */
export interface CreditsRow {
  id: string;
  organization_id: string;
  amount: string;
  remaining: string;
  description: string | null;
  status: "active" | "consumed" | "expired";
  expires_at: Date | null;
  created_at: Date | null;
  updated_at: Date | null;
}

/** What an INSERT into platform.credits gives. */
export interface CreditsInsert {
  id?: string;
  organization_id: string;
  amount: string | number | bigint;
  remaining: string | number | bigint;
  description?: string | null;
  status?: "active" | "consumed" | "expired";
  expires_at?: Date | string | null;
  created_at?: Date | string | null;
  updated_at?: Date | string | null;
}

/** What an UPDATE of platform.credits may set. */
export type CreditsUpdate = Partial<CreditsInsert>;

/** platform.customer_profiles: Billing address of an organization, one row each */
export interface CustomerProfilesRow {
  id: string;
  organization_id: string;
  company_name: string | null;
  address_line1: string | null;
  address_line2: string | null;
  city: string | null;
  state: string | null;
  postal_code: string | null;
  country: string | null;
  tax_id: string | null;
  created_at: Date | null;
  updated_at: Date | null;
}

/** What an INSERT into platform.customer_profiles gives. */
export interface CustomerProfilesInsert {
  id?: string;
  organization_id: string;
  company_name?: string | null;
  address_line1?: string | null;
  address_line2?: string | null;
  city?: string | null;
  state?: string | null;
  postal_code?: string | null;
  country?: string | null;
  tax_id?: string | null;
  created_at?: Date | string | null;
  updated_at?: Date | string | null;
}

/** What an UPDATE of platform.customer_profiles may set. */
export type CustomerProfilesUpdate = Partial<CustomerProfilesInsert>;

/** platform.databases: Database services registered for a project */
export interface DatabasesRow {
  /** Identifier of the registration */
  id: string;
  /** Project that the service belongs to; also part of the encryption key */
  project_id: string;
  /** Name for people; not unique */
  name: string;
  /** Kind of service: mongodb, redis, postgresql, mysql, neon or convex */
  type: "mongodb" | "redis" | "postgresql" | "mysql" | "neon" | "convex";
  /** Host name or address */
  host: string;
  /** TCP port, 1 to 65535 */
  port: number;
  /** Database name; for Redis the database number as text */
  database: string | null;
  /** User name; null if the service has none */
  username: string | null;
  /** Always null. Write the password here: it is encrypted and removed; an empty one removes the stored one */
  password: string | null;
  /** Masked form, scheme://host:port. Write the full string here: it is encrypted and replaced by this form */
  connection_string: string;
  /** The full connection string, encrypted by pgcrypto; written by trigger only */
  connection_string_encrypted: Buffer | null;
  /** Whether the connection uses TLS */
  ssl_enabled: boolean | null;
  /** Settings that depend on the type. Secrets among them are encrypted; ******** stands for each */
  config: Json | null;
  /** Free-form notes, such as provider and environment; secrets are refused */
  metadata: Json | null;
  /** active, inactive, error or maintenance */
  status: "active" | "inactive" | "error" | "maintenance";
  /** Result of the last check: healthy, unhealthy or unknown */
  health_check_status: "healthy" | "unhealthy" | "unknown" | null;
  /** Time of the last check */
  last_health_check_at: Date | null;
  /** What the last failed check said */
  health_check_error: string | null;
  created_at: Date;
  updated_at: Date;
  /** The password, encrypted; written by trigger only */
  password_encrypted: Buffer | null;
  /** The whole of config where it has secrets, encrypted; written by trigger only */
  config_encrypted: Buffer | null;
}

/** What an INSERT into platform.databases gives. */
export interface DatabasesInsert {
  id?: string;
  project_id: string;
  name: string;
  type: "mongodb" | "redis" | "postgresql" | "mysql" | "neon" | "convex";
  host: string;
  port: number;
  database?: string | null;
  username?: string | null;
  password?: string | null;
  connection_string: string;
  connection_string_encrypted?: Uint8Array | null;
  ssl_enabled?: boolean | null;
  config?: JsonInput | null;
  metadata?: JsonInput | null;
  status?: "active" | "inactive" | "error" | "maintenance";
  health_check_status?: "healthy" | "unhealthy" | "unknown" | null;
  last_health_check_at?: Date | string | null;
  health_check_error?: string | null;
  created_at?: Date | string;
  updated_at?: Date | string;
  password_encrypted?: Uint8Array | null;
  config_encrypted?: Uint8Array | null;
}

/** What an UPDATE of platform.databases may set. */
export type DatabasesUpdate = Partial<DatabasesInsert>;

/** platform.databases_safe: Registered databases without secrets */
export interface DatabasesSafeRow {
  id: string | null;
  project_id: string | null;
  name: string | null;
  type: string | null;
  host: string | null;
  port: number | null;
  database: string | null;
  ssl_enabled: boolean | null;
  config: Json | null;
  metadata: Json | null;
  status: string | null;
  health_check_status: string | null;
  last_health_check_at: Date | null;
  created_at: Date | null;
  updated_at: Date | null;
  connection_string_masked: string | null;
}

/** platform.databases_with_connection_strings: Registered databases with their secrets decrypted, one decryption a row; decrypt_databases reads many in one */
export interface DatabasesWithConnectionStringsRow {
  id: string | null;
  project_id: string | null;
  name: string | null;
  type: string | null;
  host: string | null;
  port: number | null;
  database: string | null;
  username: string | null;
  password: string | null;
  connection_string_decrypted: string | null;
  ssl_enabled: boolean | null;
  config: Json | null;
  metadata: Json | null;
  status: string | null;
  health_check_status: string | null;
  last_health_check_at: Date | null;
  health_check_error: string | null;
  created_at: Date | null;
  updated_at: Date | null;
}

/** platform.disk_config: Disk settings of a project, one row each; io_budget in IOPS */
export interface DiskConfigRow {
  id: string;
  project_id: string;
  size_gb: number;
  io_budget: number;
  autoscale_enabled: boolean | null;
  autoscale_limit_gb: number | null;
  status: "active" | "inactive" | "upgrading" | null;
  created_at: Date | null;
  updated_at: Date | null;
}

/** What an INSERT into platform.disk_config gives. */
export interface DiskConfigInsert {
  id?: string;
  project_id: string;
  size_gb?: number;
  io_budget?: number;
  autoscale_enabled?: boolean | null;
  autoscale_limit_gb?: number | null;
  status?: "active" | "inactive" | "upgrading" | null;
  created_at?: Date | string | null;
  updated_at?: Date | string | null;
}

/** What an UPDATE of platform.disk_config may set. */
export type DiskConfigUpdate = Partial<DiskConfigInsert>;

/** platform.feature_flags: Global feature flags; organization_feature_flags overrides them per tenant */
export interface FeatureFlagsRow {
  id: string;
  flag_key: string;
  flag_name: string;
  description: string | null;
  enabled: boolean | null;
  rollout_percentage: number | null;
  created_at: Date | null;
  updated_at: Date | null;
}

/** What an INSERT into platform.feature_flags gives. */
export interface FeatureFlagsInsert {
  id?: string;
  flag_key: string;
  flag_name: string;
  description?: string | null;
  enabled?: boolean | null;
  rollout_percentage?: number | null;
  created_at?: Date | string | null;
  updated_at?: Date | string | null;
}

/** What an UPDATE of platform.feature_flags may set. */
export type FeatureFlagsUpdate = Partial<FeatureFlagsInsert>;

/** platform.invoices: Invoices of an organization */
export interface InvoicesRow {
  id: string;
  organization_id: string;
  stripe_invoice_id: string | null;
  invoice_number: string | null;
  amount_due: string;
  amount_paid: string | null;
  amount_remaining: string | null;
  currency: string | null;
  status: "draft" | "open" | "paid" | "void" | "uncollectible";
  period_start: string | null;
  period_end: string | null;
  due_date: string | null;
  paid_at: string | null;
  invoice_pdf: string | null;
  hosted_invoice_url: string | null;
  created_at: Date | null;
  updated_at: Date | null;
}

/** What an INSERT into platform.invoices gives. */
export interface InvoicesInsert {
  id?: string;
  organization_id: string;
  stripe_invoice_id?: string | null;
  invoice_number?: string | null;
  amount_due: string | number | bigint;
  amount_paid?: string | number | bigint | null;
  amount_remaining?: string | number | bigint | null;
  currency?: string | null;
  status: "draft" | "open" | "paid" | "void" | "uncollectible";
  period_start?: string | number | bigint | null;
  period_end?: string | number | bigint | null;
  due_date?: string | number | bigint | null;
  paid_at?: string | number | bigint | null;
  invoice_pdf?: string | null;
  hosted_invoice_url?: string | null;
  created_at?: Date | string | null;
  updated_at?: Date | string | null;
}

/** What an UPDATE of platform.invoices may set. */
export type InvoicesUpdate = Partial<InvoicesInsert>;

/** platform.organization_billing_overview */
export interface OrganizationBillingOverviewRow {
  organization_id: string | null;
  organization_name: string | null;
  organization_slug: string | null;
  plan_id: string | null;
  plan_name: string | null;
  subscription_status: string | null;
  customer_balance: string | null;
  project_count: string | null;
  open_invoices: string | null;
  outstanding_balance: string | null;
  available_credits: string | null;
}

/** platform.organization_feature_flags: Override of a feature flag for one organization */
export interface OrganizationFeatureFlagsRow {
  id: string;
  organization_id: string;
  flag_id: string;
  enabled: boolean;
  created_at: Date | null;
  updated_at: Date | null;
}

/** What an INSERT into platform.organization_feature_flags gives. */
export interface OrganizationFeatureFlagsInsert {
  id?: string;
  organization_id: string;
  flag_id: string;
  enabled: boolean;
  created_at?: Date | string | null;
  updated_at?: Date | string | null;
}

/** What an UPDATE of platform.organization_feature_flags may set. */
export type OrganizationFeatureFlagsUpdate = Partial<OrganizationFeatureFlagsInsert>;

/** platform.organization_invitations: Invitations to an organization, open until accepted or expired */
export interface OrganizationInvitationsRow {
  id: string;
  organization_id: string;
  invited_email: string;
  invited_by: string;
  role: "owner" | "admin" | "developer" | "billing_admin" | "member";
  token: string;
  expires_at: Date;
  accepted_at: Date | null;
  created_at: Date | null;
}

/** What an INSERT into platform.organization_invitations gives. */
export interface OrganizationInvitationsInsert {
  id?: string;
  organization_id: string;
  invited_email: string;
  invited_by: string;
  role: "owner" | "admin" | "developer" | "billing_admin" | "member";
  token: string;
  expires_at: Date | string;
  accepted_at?: Date | string | null;
  created_at?: Date | string | null;
}

/** What an UPDATE of platform.organization_invitations may set. */
export type OrganizationInvitationsUpdate = Partial<OrganizationInvitationsInsert>;

/** platform.organization_members: Membership of a user in an organization, and the role it gives */
export interface OrganizationMembersRow {
  id: string;
  organization_id: string;
  user_id: string;
  role: "owner" | "admin" | "developer" | "billing_admin" | "member";
  invited_at: Date | null;
  invited_by: string | null;
  joined_at: Date | null;
  created_at: Date | null;
  updated_at: Date | null;
}

/** What an INSERT into platform.organization_members gives. */
export interface OrganizationMembersInsert {
  id?: string;
  organization_id: string;
  user_id: string;
  role: "owner" | "admin" | "developer" | "billing_admin" | "member";
  invited_at?: Date | string | null;
  invited_by?: string | null;
  joined_at?: Date | string | null;
  created_at?: Date | string | null;
  updated_at?: Date | string | null;
}

/** What an UPDATE of platform.organization_members may set. */
export type OrganizationMembersUpdate = Partial<OrganizationMembersInsert>;

/** platform.organizations: Tenant root: an organization owns projects, billing records and memberships */
export interface OrganizationsRow {
  id: string;
  name: string;
  slug: string;
  billing_email: string | null;
  created_at: Date;
  updated_at: Date;
}

/** What an INSERT into platform.organizations gives. */
export interface OrganizationsInsert {
  id?: string;
  name: string;
  slug: string;
  billing_email?: string | null;
  created_at?: Date | string;
  updated_at?: Date | string;
}

/** What an UPDATE of platform.organizations may set. */
export type OrganizationsUpdate = Partial<OrganizationsInsert>;

/** platform.organizations_with_stats */
export interface OrganizationsWithStatsRow {
  id: string | null;
  name: string | null;
  slug: string | null;
  billing_email: string | null;
  created_at: Date | null;
  updated_at: Date | null;
  project_count: string | null;
  active_project_count: string | null;
}

/** platform.payment_methods: Stored payment methods of an organization */
export interface PaymentMethodsRow {
  id: string;
  organization_id: string;
  stripe_payment_method_id: string;
  type: "card" | "bank_account" | "sepa_debit" | "us_bank_account";
  is_default: boolean | null;
  card_brand: string | null;
  card_last4: string | null;
  card_exp_month: number | null;
  card_exp_year: number | null;
  billing_details: Json | null;
  created_at: Date | null;
  updated_at: Date | null;
}

/** What an INSERT into platform.payment_methods gives. */
export interface PaymentMethodsInsert {
  id?: string;
  organization_id: string;
  stripe_payment_method_id: string;
  type: "card" | "bank_account" | "sepa_debit" | "us_bank_account";
  is_default?: boolean | null;
  card_brand?: string | null;
  card_last4?: string | null;
  card_exp_month?: number | null;
  card_exp_year?: number | null;
  billing_details?: JsonInput | null;
  created_at?: Date | string | null;
  updated_at?: Date | string | null;
}

/** What an UPDATE of platform.payment_methods may set. */
export type PaymentMethodsUpdate = Partial<PaymentMethodsInsert>;

/** platform.project_addons: Add-ons assigned to a project, by add-on code */
export interface ProjectAddonsRow {
  id: string;
  project_id: string;
  addon_id: string;
  addon_variant: string | null;
  quantity: number | null;
  price_per_unit: string | null;
  status: "active" | "inactive" | "pending" | "cancelled" | null;
  activated_at: Date | null;
  deactivated_at: Date | null;
  created_at: Date | null;
  updated_at: Date | null;
}

/** What an INSERT into platform.project_addons gives. */
export interface ProjectAddonsInsert {
  id?: string;
  project_id: string;
  addon_id: string;
  addon_variant?: string | null;
  quantity?: number | null;
  price_per_unit?: string | number | bigint | null;
  status?: "active" | "inactive" | "pending" | "cancelled" | null;
  activated_at?: Date | string | null;
  deactivated_at?: Date | string | null;
  created_at?: Date | string | null;
  updated_at?: Date | string | null;
}

/** What an UPDATE of platform.project_addons may set. */
export type ProjectAddonsUpdate = Partial<ProjectAddonsInsert>;

/** platform.project_members: Direct access of a user to one project */
export interface ProjectMembersRow {
  id: string;
  project_id: string;
  user_id: string;
  role: "owner" | "admin" | "developer" | "read_only";
  added_by: string | null;
  created_at: Date | null;
  updated_at: Date | null;
}

/** What an INSERT into platform.project_members gives. */
export interface ProjectMembersInsert {
  id?: string;
  project_id: string;
  user_id: string;
  role: "owner" | "admin" | "developer" | "read_only";
  added_by?: string | null;
  created_at?: Date | string | null;
  updated_at?: Date | string | null;
}

/** What an UPDATE of platform.project_members may set. */
export type ProjectMembersUpdate = Partial<ProjectMembersInsert>;

/** platform.project_metrics: Infrastructure time series of a project; usage in percent, I/O budget in IOPS */
export interface ProjectMetricsRow {
  id: string;
  project_id: string;
  timestamp: Date;
  cpu_usage: string | null;
  memory_usage: string | null;
  disk_io_budget: string | null;
  disk_usage_gb: string | null;
  network_in_bytes: string | null;
  network_out_bytes: string | null;
  active_connections: number | null;
  query_count: number | null;
  created_at: Date | null;
}

/** What an INSERT into platform.project_metrics gives. */
export interface ProjectMetricsInsert {
  id?: string;
  project_id: string;
  timestamp?: Date | string;
  cpu_usage?: string | number | bigint | null;
  memory_usage?: string | number | bigint | null;
  disk_io_budget?: string | number | bigint | null;
  disk_usage_gb?: string | number | bigint | null;
  network_in_bytes?: string | number | bigint | null;
  network_out_bytes?: string | number | bigint | null;
  active_connections?: number | null;
  query_count?: number | null;
  created_at?: Date | string | null;
}

/** What an UPDATE of platform.project_metrics may set. */
export type ProjectMetricsUpdate = Partial<ProjectMetricsInsert>;

/** platform.project_resources */
export interface ProjectResourcesRow {
  project_id: string | null;
  project_ref: string | null;
  project_name: string | null;
  organization_id: string | null;
  project_status: string | null;
  disk_size_gb: number | null;
  disk_io_budget: number | null;
  disk_autoscale: boolean | null;
  instance_size: string | null;
  cpu_cores: string | null;
  memory_gb: string | null;
  architecture: string | null;
  is_dedicated: boolean | null;
  active_addons_count: string | null;
}

/** platform.projects: Managed projects, each with its primary database connection */
export interface ProjectsRow {
  id: string;
  organization_id: string;
  name: string;
  slug: string;
  ref: string;
  database_host: string;
  database_port: number;
  database_name: string;
  database_user: string;
  database_password: string;
  postgres_meta_url: string;
  supabase_url: string;
  status: "ACTIVE_HEALTHY" | "ACTIVE_UNHEALTHY" | "COMING_UP" | "GOING_DOWN" | "INACTIVE" | "PAUSED" | "RESTORING" | "UPGRADING";
  created_at: Date;
  updated_at: Date;
  instance_size: string | null;
  disk_size_gb: number | null;
  disk_io_budget: number | null;
}

/** What an INSERT into platform.projects gives. */
export interface ProjectsInsert {
  id?: string;
  organization_id: string;
  name: string;
  slug: string;
  ref: string;
  database_host: string;
  database_port?: number;
  database_name: string;
  database_user: string;
  database_password: string;
  postgres_meta_url: string;
  supabase_url: string;
  status?: "ACTIVE_HEALTHY" | "ACTIVE_UNHEALTHY" | "COMING_UP" | "GOING_DOWN" | "INACTIVE" | "PAUSED" | "RESTORING" | "UPGRADING";
  created_at?: Date | string;
  updated_at?: Date | string;
  instance_size?: string | null;
  disk_size_gb?: number | null;
  disk_io_budget?: number | null;
}

/** What an UPDATE of platform.projects may set. */
export type ProjectsUpdate = Partial<ProjectsInsert>;

/** platform.projects_with_credentials */
export interface ProjectsWithCredentialsRow {
  id: string | null;
  organization_id: string | null;
  name: string | null;
  slug: string | null;
  ref: string | null;
  database_host: string | null;
  database_port: number | null;
  database_name: string | null;
  database_user: string | null;
  database_password: string | null;
  postgres_meta_url: string | null;
  supabase_url: string | null;
  status: string | null;
  created_at: Date | null;
  updated_at: Date | null;
  anon_key: string | null;
  service_role_key: string | null;
  jwt_secret: string | null;
}

/** platform.subscriptions: The plan of an organization, one row each */
export interface SubscriptionsRow {
  id: string;
  organization_id: string;
  plan_id: "tier_free" | "tier_pro" | "tier_team" | "tier_enterprise";
  plan_name: string;
  status: "active" | "canceled" | "past_due" | "trialing" | "unpaid" | "incomplete";
  billing_cycle_anchor: string | null;
  current_period_start: string | null;
  current_period_end: string | null;
  next_invoice_at: string | null;
  usage_billing_enabled: boolean | null;
  spend_cap_enabled: boolean | null;
  spend_cap_amount: string | null;
  customer_balance: string | null;
  billing_via_partner: boolean | null;
  billing_partner: string | null;
  cached_egress_enabled: boolean | null;
  stripe_customer_id: string | null;
  stripe_subscription_id: string | null;
  created_at: Date | null;
  updated_at: Date | null;
}

/** What an INSERT into platform.subscriptions gives. */
export interface SubscriptionsInsert {
  id?: string;
  organization_id: string;
  plan_id: "tier_free" | "tier_pro" | "tier_team" | "tier_enterprise";
  plan_name: string;
  status?: "active" | "canceled" | "past_due" | "trialing" | "unpaid" | "incomplete";
  billing_cycle_anchor?: string | number | bigint | null;
  current_period_start?: string | number | bigint | null;
  current_period_end?: string | number | bigint | null;
  next_invoice_at?: string | number | bigint | null;
  usage_billing_enabled?: boolean | null;
  spend_cap_enabled?: boolean | null;
  spend_cap_amount?: string | number | bigint | null;
  customer_balance?: string | number | bigint | null;
  billing_via_partner?: boolean | null;
  billing_partner?: string | null;
  cached_egress_enabled?: boolean | null;
  stripe_customer_id?: string | null;
  stripe_subscription_id?: string | null;
  created_at?: Date | string | null;
  updated_at?: Date | string | null;
}

/** What an UPDATE of platform.subscriptions may set. */
export type SubscriptionsUpdate = Partial<SubscriptionsInsert>;

/** platform.subscriptions_with_orgs */
export interface SubscriptionsWithOrgsRow {
  id: string | null;
  organization_id: string | null;
  organization_name: string | null;
  organization_slug: string | null;
  plan_id: string | null;
  plan_name: string | null;
  status: string | null;
  billing_cycle_anchor: string | null;
  current_period_start: string | null;
  current_period_end: string | null;
  next_invoice_at: string | null;
  usage_billing_enabled: boolean | null;
  spend_cap_enabled: boolean | null;
  spend_cap_amount: string | null;
  customer_balance: string | null;
  billing_via_partner: boolean | null;
  billing_partner: string | null;
  stripe_customer_id: string | null;
  stripe_subscription_id: string | null;
  created_at: Date | null;
  updated_at: Date | null;
}

/** platform.tax_ids: Tax registrations of an organization */
export interface TaxIdsRow {
  id: string;
  organization_id: string;
  type: string;
  value: string;
  country: string | null;
  status: "active" | "deleted" | null;
  created_at: Date | null;
  updated_at: Date | null;
}

/** What an INSERT into platform.tax_ids gives. */
export interface TaxIdsInsert {
  id?: string;
  organization_id: string;
  type: string;
  value: string;
  country?: string | null;
  status?: "active" | "deleted" | null;
  created_at?: Date | string | null;
  updated_at?: Date | string | null;
}

/** What an UPDATE of platform.tax_ids may set. */
export type TaxIdsUpdate = Partial<TaxIdsInsert>;

/** platform.usage_metrics: Metered usage of an organization or project per period, with its cost */
export interface UsageMetricsRow {
  id: string;
  organization_id: string | null;
  project_id: string | null;
  metric_type: "database_size" | "egress" | "storage" | "auth_users" | "realtime_connections" | "realtime_messages" | "storage_images_transformed" | "function_invocations" | "function_count" | "compute_hours";
  metric_value: string;
  metric_unit: "bytes" | "hours" | "requests" | "users" | "connections" | "messages" | "invocations" | "count";
  period_start: Date;
  period_end: Date;
  cost: string | null;
  metadata: Json | null;
  created_at: Date | null;
}

/** What an INSERT into platform.usage_metrics gives. */
export interface UsageMetricsInsert {
  id?: string;
  organization_id?: string | null;
  project_id?: string | null;
  metric_type: "database_size" | "egress" | "storage" | "auth_users" | "realtime_connections" | "realtime_messages" | "storage_images_transformed" | "function_invocations" | "function_count" | "compute_hours";
  metric_value: string | number | bigint;
  metric_unit: "bytes" | "hours" | "requests" | "users" | "connections" | "messages" | "invocations" | "count";
  period_start: Date | string;
  period_end: Date | string;
  cost?: string | number | bigint | null;
  metadata?: JsonInput | null;
  created_at?: Date | string | null;
}

/** What an UPDATE of platform.usage_metrics may set. */
export type UsageMetricsUpdate = Partial<UsageMetricsInsert>;

/** platform.user_sessions: Login sessions; token holds a hash, never the token itself */
export interface UserSessionsRow {
  id: string;
  user_id: string;
  token: string;
  refresh_token: string | null;
  ip_address: string | null;
  user_agent: string | null;
  expires_at: Date;
  last_activity_at: Date | null;
  created_at: Date | null;
}

/** What an INSERT into platform.user_sessions gives. */
export interface UserSessionsInsert {
  id?: string;
  user_id: string;
  token: string;
  refresh_token?: string | null;
  ip_address?: string | null;
  user_agent?: string | null;
  expires_at: Date | string;
  last_activity_at?: Date | string | null;
  created_at?: Date | string | null;
}

/** What an UPDATE of platform.user_sessions may set. */
export type UserSessionsUpdate = Partial<UserSessionsInsert>;

/** platform.users: Platform accounts; deleted_at marks a soft-deleted one */
export interface UsersRow {
  id: string;
  email: string;
  username: string | null;
  first_name: string | null;
  last_name: string | null;
  avatar_url: string | null;
  phone: string | null;
  password_hash: string | null;
  mfa_enabled: boolean | null;
  email_confirmed_at: Date | null;
  banned_until: Date | null;
  deleted_at: Date | null;
  metadata: Json | null;
  last_sign_in_at: Date | null;
  created_at: Date | null;
  updated_at: Date | null;
}

/** What an INSERT into platform.users gives. */
export interface UsersInsert {
  id?: string;
  email: string;
  username?: string | null;
  first_name?: string | null;
  last_name?: string | null;
  avatar_url?: string | null;
  phone?: string | null;
  password_hash?: string | null;
  mfa_enabled?: boolean | null;
  email_confirmed_at?: Date | string | null;
  banned_until?: Date | string | null;
  deleted_at?: Date | string | null;
  metadata?: JsonInput | null;
  last_sign_in_at?: Date | string | null;
  created_at?: Date | string | null;
  updated_at?: Date | string | null;
}

/** What an UPDATE of platform.users may set. */
export type UsersUpdate = Partial<UsersInsert>;

/** The tables by name. */
export interface Tables {
  "platform.addons": { row: AddonsRow; insert: AddonsInsert; update: AddonsUpdate };
  "platform.api_keys": { row: ApiKeysRow; insert: ApiKeysInsert; update: ApiKeysUpdate };
  "platform.audit_logs": { row: AuditLogsRow; insert: AuditLogsInsert; update: AuditLogsUpdate };
  "platform.billing_plans": { row: BillingPlansRow; insert: BillingPlansInsert; update: BillingPlansUpdate };
  "platform.compute_config": { row: ComputeConfigRow; insert: ComputeConfigInsert; update: ComputeConfigUpdate };
  "platform.credentials": { row: CredentialsRow; insert: CredentialsInsert; update: CredentialsUpdate };
  "platform.credits": { row: CreditsRow; insert: CreditsInsert; update: CreditsUpdate };
  "platform.customer_profiles": { row: CustomerProfilesRow; insert: CustomerProfilesInsert; update: CustomerProfilesUpdate };
  "platform.databases": { row: DatabasesRow; insert: DatabasesInsert; update: DatabasesUpdate };
  "platform.disk_config": { row: DiskConfigRow; insert: DiskConfigInsert; update: DiskConfigUpdate };
  "platform.feature_flags": { row: FeatureFlagsRow; insert: FeatureFlagsInsert; update: FeatureFlagsUpdate };
  "platform.invoices": { row: InvoicesRow; insert: InvoicesInsert; update: InvoicesUpdate };
  "platform.organization_feature_flags": { row: OrganizationFeatureFlagsRow; insert: OrganizationFeatureFlagsInsert; update: OrganizationFeatureFlagsUpdate };
  "platform.organization_invitations": { row: OrganizationInvitationsRow; insert: OrganizationInvitationsInsert; update: OrganizationInvitationsUpdate };
  "platform.organization_members": { row: OrganizationMembersRow; insert: OrganizationMembersInsert; update: OrganizationMembersUpdate };
  "platform.organizations": { row: OrganizationsRow; insert: OrganizationsInsert; update: OrganizationsUpdate };
  "platform.payment_methods": { row: PaymentMethodsRow; insert: PaymentMethodsInsert; update: PaymentMethodsUpdate };
  "platform.project_addons": { row: ProjectAddonsRow; insert: ProjectAddonsInsert; update: ProjectAddonsUpdate };
  "platform.project_members": { row: ProjectMembersRow; insert: ProjectMembersInsert; update: ProjectMembersUpdate };
  "platform.project_metrics": { row: ProjectMetricsRow; insert: ProjectMetricsInsert; update: ProjectMetricsUpdate };
  "platform.projects": { row: ProjectsRow; insert: ProjectsInsert; update: ProjectsUpdate };
  "platform.subscriptions": { row: SubscriptionsRow; insert: SubscriptionsInsert; update: SubscriptionsUpdate };
  "platform.tax_ids": { row: TaxIdsRow; insert: TaxIdsInsert; update: TaxIdsUpdate };
  "platform.usage_metrics": { row: UsageMetricsRow; insert: UsageMetricsInsert; update: UsageMetricsUpdate };
  "platform.user_sessions": { row: UserSessionsRow; insert: UserSessionsInsert; update: UserSessionsUpdate };
  "platform.users": { row: UsersRow; insert: UsersInsert; update: UsersUpdate };
}

/** The views by name. */
export interface Views {
  "platform.databases_safe": { row: DatabasesSafeRow };
  "platform.databases_with_connection_strings": { row: DatabasesWithConnectionStringsRow };
  "platform.organization_billing_overview": { row: OrganizationBillingOverviewRow };
  "platform.organizations_with_stats": { row: OrganizationsWithStatsRow };
  "platform.project_resources": { row: ProjectResourcesRow };
  "platform.projects_with_credentials": { row: ProjectsWithCredentialsRow };
  "platform.subscriptions_with_orgs": { row: SubscriptionsWithOrgsRow };
}

/** The functions by name: what they take, in order, and what they give. */
export interface Functions {
  "platform.calculate_usage_cost": { args: [org_id: string | null, start_period: Date | string | null, end_period: Date | string | null]; result: string | null };
  "platform.clean_old_audit_logs": { args: [days_to_keep?: number | null]; result: number | null };
  "platform.clean_old_metrics": { args: [days_to_keep?: number | null]; result: number | null };
  "platform.decrypt_database_connection_string": { args: [p_database_id: string | null]; result: string | null };
  "platform.decrypt_databases": { args: [p_database_ids: string[] | null]; result: { id: string | null; connection_string: string | null; password: string | null; config: Json | null }[] };
  "platform.generate_slug": { args: [input_text: string | null]; result: string | null };
  /** Every feature flag with its value for the organization: the override if there is one, else the global value */
  "platform.get_active_feature_flags": { args: [p_organization_id: string | null]; result: { flag_key: string | null; flag_name: string | null; enabled: boolean | null }[] };
  "platform.get_active_subscription": { args: [org_id: string | null]; result: Nullable<SubscriptionsRow> };
  "platform.get_available_credits": { args: [org_id: string | null]; result: string | null };
  "platform.get_credentials_by_project_ref": { args: [project_ref: string | null]; result: Nullable<CredentialsRow> };
  "platform.get_organization_by_slug": { args: [org_slug: string | null]; result: Nullable<OrganizationsRow> };
  "platform.get_project_by_ref": { args: [project_ref: string | null]; result: Nullable<ProjectsRow> };
  "platform.get_project_databases": { args: [p_project_id: string | null, p_type?: string | null]; result: { id: string | null; project_id: string | null; name: string | null; type: string | null; host: string | null; port: number | null; database: string | null; ssl_enabled: boolean | null; config: Json | null; status: string | null; health_check_status: string | null; last_health_check_at: Date | null; created_at: Date | null; updated_at: Date | null }[] };
  /** Whether the user is a member of the project, or an owner or admin of its organization */
  "platform.has_project_access": { args: [p_user_id: string | null, p_project_id: string | null]; result: boolean | null };
  "platform.is_free_tier": { args: [org_id: string | null]; result: boolean | null };
  /** Whether the user is an owner of the organization */
  "platform.is_organization_owner": { args: [p_user_id: string | null, p_organization_id: string | null]; result: boolean | null };
  "platform.log_audit_event": { args: [p_user_id: string | null, p_entity_type: string | null, p_entity_id: string | null, p_action: string | null, p_changes?: JsonInput | null, p_ip_address?: string | null, p_user_agent?: string | null]; result: string | null };
  "platform.record_database_health": { args: [p_database_id: string | null, p_result: string | null, p_error_message?: string | null, p_after?: number | null]; result: string | null };
  /** Five tests of the permissive policies; each row is a test, its result and what was found */
  "platform.test_rls_policies": { args: []; result: { test_name: string | null; test_result: boolean | null; description: string | null }[] };
  "platform.update_database_health": { args: [p_database_id: string | null, p_health_status: string | null, p_error_message?: string | null]; result: boolean | null };
  /** Every table of schema platform with its row-level security flag and number of policies */
  "platform.verify_rls_enabled": { args: []; result: { table_name: string | null; rls_enabled: boolean | null; policy_count: string | null }[] };
}
