//! The findings that AWS documents: name, type and text of each.

/// How grave a finding is, in ValidatePolicy's words.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum FindingType {
    /// A part of the policy does not work.
    Error,
    /// The policy allows more than it should.
    SecurityWarning,
    /// The policy does not follow best practice, without harm to security.
    Warning,
    /// The policy could be written better; access stays the same.
    Suggestion,
}

impl FindingType {
    /// Every type, the gravest first.
    pub const ALL: [Self; 4] = [Self::Error, Self::SecurityWarning, Self::Warning, Self::Suggestion];

    /// `ERROR`, `SECURITY_WARNING`, `WARNING` or `SUGGESTION`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Error => "ERROR",
            Self::SecurityWarning => "SECURITY_WARNING",
            Self::Warning => "WARNING",
            Self::Suggestion => "SUGGESTION",
        }
    }

    /// As the guide's addresses spell it.
    fn in_address(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::SecurityWarning => "security-warning",
            Self::Warning => "general-warning",
            Self::Suggestion => "suggestion",
        }
    }
}

macro_rules! codes {
    ($($type:ident { $($variant:ident $code:literal $text:literal)* })*) => {
        /// What was found, by AWS's issue codes (`access-analyzer-reference-policy-checks`).
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[expect(missing_docs, reason = "each is the issue code of its name; its text says what it means")]
        #[non_exhaustive]
        pub enum Code { $($($variant,)*)* }

        impl Code {
            /// Every code that is checked for.
            pub const ALL: &'static [Code] = &[$($(Code::$variant,)*)*];

            /// AWS's issue code, `INVALID_ACTION`.
            pub fn as_str(self) -> &'static str {
                match self { $($(Self::$variant => $code,)*)* }
            }

            /// How grave it is.
            pub fn finding_type(self) -> FindingType {
                match self { $($(Self::$variant => FindingType::$type,)*)* }
            }

            /// AWS's text, with `{}` where something of the policy stands.
            fn template(self) -> &'static str {
                match self { $($(Self::$variant => $text,)*)* }
            }
        }
    };
}

impl Code {
    /// The code with this name, where it is checked for.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|code| code.as_str() == name)
    }

    /// The part of AWS's guide about it.
    pub fn learn_more(self) -> String {
        format!(
            "https://docs.aws.amazon.com/IAM/latest/UserGuide/access-analyzer-reference-policy-checks.html\
             #access-analyzer-reference-policy-checks-{}-{}",
            self.finding_type().in_address(),
            self.as_str().to_ascii_lowercase().replace('_', "-")
        )
    }

    /// AWS's text with what stands in the policy put in, one after the other.
    pub(super) fn message(self, parts: &[&str]) -> String {
        let mut parts = parts.iter();
        let mut message = String::new();
        for (index, text) in self.template().split("{}").enumerate() {
            if index > 0 {
                message.push_str(parts.next().copied().unwrap_or_default());
            }
            message.push_str(text);
        }
        message
    }
}

codes! {
Error {
    ArnAccountNotAllowed "ARN_ACCOUNT_NOT_ALLOWED" "The service {} does not support specifying an account ID in the resource ARN."
    ArnRegionNotAllowed "ARN_REGION_NOT_ALLOWED" "The service {} does not support specifying a Region in the resource ARN."
    DataTypeMismatch "DATA_TYPE_MISMATCH" "The text does not match the expected JSON data type {}."
    DuplicateKeysWithDifferentCase "DUPLICATE_KEYS_WITH_DIFFERENT_CASE" "The condition key {} appears more than once with different capitalization in the same condition block. Remove the duplicate condition keys."
    InvalidAction "INVALID_ACTION" "The action {} does not exist.{}"
    InvalidArnAccount "INVALID_ARN_ACCOUNT" "The resource ARN account ID {} is not valid. Provide a 12-digit account ID."
    InvalidArnPrefix "INVALID_ARN_PREFIX" "Add the required prefix (arn) to the resource ARN."
    InvalidArnRegion "INVALID_ARN_REGION" "The Region {} is not valid for this resource. Update the resource ARN to include a supported Region."
    InvalidArnResource "INVALID_ARN_RESOURCE" "Resource ARN does not match the expected ARN format. Update the resource portion of the ARN."
    InvalidArnServiceCase "INVALID_ARN_SERVICE_CASE" "Update the service name {} in the resource ARN to use all lowercase letters."
    InvalidConditionDataType "INVALID_CONDITION_DATA_TYPE" "The condition value data types do not match. Use condition values of the same JSON data type."
    InvalidConditionKeyFormat "INVALID_CONDITION_KEY_FORMAT" "The condition key format is not valid. Use the format service:keyname."
    InvalidConditionMultipleBoolean "INVALID_CONDITION_MULTIPLE_BOOLEAN" "The condition key does not support multiple Boolean values. Use a single Boolean value."
    InvalidConditionOperator "INVALID_CONDITION_OPERATOR" "The condition operator {} is not valid. Use a valid condition operator."
    InvalidEffect "INVALID_EFFECT" "The effect {} is not valid. Use Allow or Deny."
    InvalidGlobalConditionKey "INVALID_GLOBAL_CONDITION_KEY" "The condition key {} does not exist. Use a valid condition key."
    InvalidPartition "INVALID_PARTITION" "The resource ARN for the service {} does not support the partition {}. Use the supported values: {}"
    InvalidPolicyElement "INVALID_POLICY_ELEMENT" "The policy element {} is not valid."
    InvalidPrincipalFormat "INVALID_PRINCIPAL_FORMAT" "The Principal element contents are not valid. Specify a key-value pair in the Principal element."
    InvalidPrincipalKey "INVALID_PRINCIPAL_KEY" "The principal key {} is not valid."
    InvalidRegion "INVALID_REGION" "The Region {} is not valid. Update the condition value to a supported Region."
    InvalidService "INVALID_SERVICE" "The service {} does not exist. Use a valid service name."
    InvalidServiceConditionKey "INVALID_SERVICE_CONDITION_KEY" "The condition key {} does not exist in the service {}. Use a valid condition key."
    InvalidServiceInAction "INVALID_SERVICE_IN_ACTION" "The service {} specified in the action does not exist.{}"
    InvalidVariableForOperator "INVALID_VARIABLE_FOR_OPERATOR" "Policy variables can only be used with String and ARN operators."
    InvalidVersion "INVALID_VERSION" "The version {} is not valid. Use one of the following versions: {}"
    JsonSyntaxError "JSON_SYNTAX_ERROR" "Fix the JSON syntax error{}."
    MissingAction "MISSING_ACTION" "Add an Action or NotAction element to the policy statement."
    MissingArnField "MISSING_ARN_FIELD" "Resource ARNs must include at least {} fields in the following structure: arn:partition:service:region:account:resource"
    MissingArnRegion "MISSING_ARN_REGION" "Add a Region to the {} resource ARN."
    MissingEffect "MISSING_EFFECT" "Add an Effect element to the policy statement with a value of Allow or Deny."
    MissingPrincipal "MISSING_PRINCIPAL" "Add a Principal element to the policy statement."
    MissingQualifier "MISSING_QUALIFIER" "The request context key {} has multiple values. Use the ForAllValues or ForAnyValue condition key qualifiers in your policy."
    MissingResource "MISSING_RESOURCE" "Add a Resource or NotResource element to the policy statement."
    MissingStatement "MISSING_STATEMENT" "Add a statement to the policy"
    NullWithIfExists "NULL_WITH_IF_EXISTS" "The Null condition operator cannot be used with the IfExists suffix. Update the operator or the suffix."
    ScpSyntaxErrorActionWildcard "SCP_SYNTAX_ERROR_ACTION_WILDCARD" "SCP actions can include wildcards (*) only at the end of a string. Update {}."
    ScpSyntaxErrorPrincipal "SCP_SYNTAX_ERROR_PRINCIPAL" "SCPs do not support specifying principals. Remove the Principal or NotPrincipal element."
    UniqueSidsRequired "UNIQUE_SIDS_REQUIRED" "Duplicate statement IDs are not supported for this policy type. Update the Sid value."
    UnsupportedActionInPolicy "UNSUPPORTED_ACTION_IN_POLICY" "The action {} is not supported for the resource-based policy attached to the resource type {}."
    UnsupportedElementCombination "UNSUPPORTED_ELEMENT_COMBINATION" "The policy elements {} and {} can not be used in the same statement. Remove one of these elements."
    UnsupportedGlobalConditionKey "UNSUPPORTED_GLOBAL_CONDITION_KEY" "The condition key aws:ARN is not supported. Use aws:PrincipalArn or aws:SourceArn instead."
    UnsupportedPrincipal "UNSUPPORTED_PRINCIPAL" "The policy type {} does not support the Principal element. Remove the Principal element."
    UnsupportedResourceArnInPolicy "UNSUPPORTED_RESOURCE_ARN_IN_POLICY" "The resource ARN is not supported for the resource-based policy attached to the resource type {}."
    UnsupportedSid "UNSUPPORTED_SID" "Update the characters in the Sid element to use one of the following character types: [a-z, A-Z, 0-9]"
    UnsupportedWildcardInPrincipal "UNSUPPORTED_WILDCARD_IN_PRINCIPAL" "Wildcards (*, ?) are not supported with the principal key {}. Replace the wildcard with a valid principal value."
    MissingBraceInVariable "MISSING_BRACE_IN_VARIABLE" "The policy variable is missing a closing curly brace. Add } after the variable text."
    MissingQuoteInVariable "MISSING_QUOTE_IN_VARIABLE" "The policy variable default value must begin and end with a single quote. Add the missing quote."
    UnsupportedSpaceInVariable "UNSUPPORTED_SPACE_IN_VARIABLE" "A space is not supported within the policy variable text. Remove the space."
    EmptyVariable "EMPTY_VARIABLE" "Empty policy variable. Remove the ${ } variable structure or provide a variable within the structure."
    VariableUnsupportedInElement "VARIABLE_UNSUPPORTED_IN_ELEMENT" "Policy variables are supported in the Resource and Condition elements. Remove the policy variable {} from this element."
    VariableUnsupportedInVersion "VARIABLE_UNSUPPORTED_IN_VERSION" "To include variables in your policy, use the policy version 2012-10-17 or later."
    PrivateIpAddress "PRIVATE_IP_ADDRESS" "aws:SourceIp works only for public IP address ranges. The values for condition key aws:SourceIp include only private IP addresses and will not have the desired effect. Update the value to include only public IP addresses."
    PrivateNotIpAddress "PRIVATE_NOT_IP_ADDRESS" "The values for condition key aws:SourceIp include only private IP addresses and has no effect. aws:SourceIp works only for public IP address ranges. Update the value to include only public IP addresses."
    PolicySizeExceedsScpQuota "POLICY_SIZE_EXCEEDS_SCP_QUOTA" "The {} characters in the service control policy (SCP) exceed the {} character maximum for SCPs. We recommend that you use multiple granular policies."
    InvalidServicePrincipalFormat "INVALID_SERVICE_PRINCIPAL_FORMAT" "The service principal does not match the expected format. Use the format {}."
    MissingTagKeyInCondition "MISSING_TAG_KEY_IN_CONDITION" "The condition key {} must include a tag key to control access based on tags. Use the format {}tag-key and specify a key name for tag-key."
    InvalidVpcFormat "INVALID_VPC_FORMAT" "The VPC identifier in the condition key value is not valid. Use the prefix 'vpc-' followed by 8 or 17 alphanumeric characters."
    InvalidVpceFormat "INVALID_VPCE_FORMAT" "The VPCE identifier in the condition key value is not valid.  Use the prefix 'vpce-' followed by 8 or 17 alphanumeric characters."
    FederatedPrincipalNotSupported "FEDERATED_PRINCIPAL_NOT_SUPPORTED" "The policy type does not support a federated identity provider in the principal element. Use a supported principal."
    UnsupportedActionForConditionKey "UNSUPPORTED_ACTION_FOR_CONDITION_KEY" "The following actions: {} are not supported by the condition key {}. The condition will not be evaluated for these actions. We recommend that you move these actions to a different statement without this condition key."
    UnsupportedConditionKeyForServicePrincipal "UNSUPPORTED_CONDITION_KEY_FOR_SERVICE_PRINCIPAL" "The following condition keys are not supported when used with the service principal: {}."
    RoleTrustPolicySyntaxErrorNotprincipal "ROLE_TRUST_POLICY_SYNTAX_ERROR_NOTPRINCIPAL" "Role trust policies do not support NotPrincipal. Update the policy to use a Principal element instead."
    RoleTrustPolicyUnsupportedWildcardInPrincipal "ROLE_TRUST_POLICY_UNSUPPORTED_WILDCARD_IN_PRINCIPAL" "\"Principal:\" \"*\" is not supported in the principal element of a role trust policy. Replace the wildcard with a valid principal value."
    RoleTrustPolicySyntaxErrorResource "ROLE_TRUST_POLICY_SYNTAX_ERROR_RESOURCE" "Role trust policies apply to the role that they are attached to. You cannot specify a resource. Remove the Resource or NotResource element."
    TypeMismatchIpRange "TYPE_MISMATCH_IP_RANGE" "The condition operator {} is used with an invalid IP range value. Specify the IP range in standard CIDR format."
    MissingActionForConditionKey "MISSING_ACTION_FOR_CONDITION_KEY" "The {} action must be in the action block to allow setting values for the condition key {}. Add {} to the action block."
    InvalidFederatedPrincipalSyntaxInRoleTrustPolicy "INVALID_FEDERATED_PRINCIPAL_SYNTAX_IN_ROLE_TRUST_POLICY" "The principal value specifies a federated principal that does not match the expected format. Update the federated principal to a domain name or a SAML metadata ARN."
    MismatchedActionForPrincipal "MISMATCHED_ACTION_FOR_PRINCIPAL" "The {} action is invalid with the following principal(s): {}. Use a SAML provider principal with the sts:AssumeRoleWithSAML action or use an OIDC provider principal with the sts:AssumeRoleWithWebIdentity action. Ensure the provider is Federated if you use either of the two options."
    MissingActionForRolesAnywhereTrustPolicy "MISSING_ACTION_FOR_ROLES_ANYWHERE_TRUST_POLICY" "The rolesanywhere.amazonaws.com service principal requires the sts:AssumeRole, sts:SetSourceIdentity, and sts:TagSession permissions to assume a role. Add the missing permissions to the policy."
    PolicySizeExceedsRcpQuota "POLICY_SIZE_EXCEEDS_RCP_QUOTA" "The {} characters in the resource control policy (RCP) exceed the {} character maximum for RCPs. We recommend that you use multiple granular policies."
    RcpSyntaxErrorPrincipal "RCP_SYNTAX_ERROR_PRINCIPAL" "The Principal element contents are not valid. RCPs only support specifying all principals (\"*\") in the Principal element. The NotPrincipal element is not supported for RCPs."
    RcpSyntaxErrorAllow "RCP_SYNTAX_ERROR_ALLOW" "RCPs only support specifying all principals (\"*\") in the Principal element, all resources (\"*\") in the Resource element, and no Condition element with an effect of Allow."
    RcpSyntaxErrorNotaction "RCP_SYNTAX_ERROR_NOTACTION" "RCPs do not support the NotAction element. Update to use the Action element."
    RcpSyntaxErrorAction "RCP_SYNTAX_ERROR_ACTION" "RCPs only support specifying select service prefixes in the Action element. Learn more here."
    MissingArnAccount "MISSING_ARN_ACCOUNT" "The resource {} in the arn is missing an account id. Please provide a 12 digit account id."
    InvalidKmsKeyValue "INVALID_KMS_KEY_VALUE" "The {} condition key value must be a valid KMS key ARN."
    VariableUsageTooPermissive "VARIABLE_USAGE_TOO_PERMISSIVE" "The policy variable is not allowed in the condition key {}. We consider the key to be sensitive and policy variables can be evaluated as effective wildcards. Therefore policy variables are not allowed to be used with sensitive keys. Refer to https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html for the list of sensitive keys."
    WildcardUsageTooPermissive "WILDCARD_USAGE_TOO_PERMISSIVE" "The wildcard is not allowed in the condition key {}. We consider the key to be sensitive and wildcards are not allowed to be used with sensitive keys. Refer to https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html for the list of sensitive keys."
}
Warning {
    CreateSlrWithNotResource "CREATE_SLR_WITH_NOT_RESOURCE" "Using the iam:CreateServiceLinkedRole action with NotResource can allow creation of unintended service-linked roles for multiple resources. We recommend that you specify resource ARNs instead."
    CreateSlrWithStarInActionAndNotResource "CREATE_SLR_WITH_STAR_IN_ACTION_AND_NOT_RESOURCE" "Using an action with a wildcard(*) and NotResource can allow creation of unintended service-linked roles because it can allow iam:CreateServiceLinkedRole permissions on multiple resources. We recommend that you specify resource ARNs instead."
    CreateSlrWithNotActionAndNotResource "CREATE_SLR_WITH_NOT_ACTION_AND_NOT_RESOURCE" "Using NotAction with NotResource can allow creation of unintended service-linked roles because it allows iam:CreateServiceLinkedRole permissions on multiple resources. We recommend that you specify resource ARNs instead."
    CreateSlrWithStarInResource "CREATE_SLR_WITH_STAR_IN_RESOURCE" "Using the iam:CreateServiceLinkedRole action with wildcards (*) in the resource can allow creation of unintended service-linked roles. We recommend that you specify resource ARNs instead."
    CreateSlrWithStarInActionAndResource "CREATE_SLR_WITH_STAR_IN_ACTION_AND_RESOURCE" "Using wildcards (*) in the action and the resource can allow creation of unintended service-linked roles because it allows iam:CreateServiceLinkedRole permissions on all resources. We recommend that you specify resource ARNs instead."
    CreateSlrWithStarInResourceAndNotAction "CREATE_SLR_WITH_STAR_IN_RESOURCE_AND_NOT_ACTION" "Using a resource with wildcards (*) and NotAction can allow creation of unintended service-linked roles because it allows iam:CreateServiceLinkedRole permissions on all resources. We recommend that you specify resource ARNs instead."
    InvalidDateValue "INVALID_DATE_VALUE" "The date {} might not resolve as expected. We recommend that you use the YYYY-MM-DD format."
    InvalidRoleReference "INVALID_ROLE_REFERENCE" "The Principal element includes the IAM role ID {}. We recommend that you use a role ARN instead."
    InvalidUserReference "INVALID_USER_REFERENCE" "The Principal element includes the IAM user ID {}. We recommend that you use a user ARN instead."
    MissingVersion "MISSING_VERSION" "We recommend that you specify the Version element to help you with debugging permission issues."
    UniqueSidsRecommended "UNIQUE_SIDS_RECOMMENDED" "We recommend that you use statement IDs that are unique to your policy. Update the Sid value."
    WildcardWithoutLikeOperator "WILDCARD_WITHOUT_LIKE_OPERATOR" "Your condition value includes a * or ? character. If you meant to use a wildcard (*, ?), update the condition operator to include Like."
    PolicySizeExceedsIdentityPolicyQuota "POLICY_SIZE_EXCEEDS_IDENTITY_POLICY_QUOTA" "The {} characters in the identity policy, excluding whitespace, exceed the {} character maximum for inline and managed policies. We recommend that you use multiple granular policies."
    PolicySizeExceedsResourcePolicyQuota "POLICY_SIZE_EXCEEDS_RESOURCE_POLICY_QUOTA" "The {} characters in the resource policy exceed the {} character maximum for resource policies. We recommend that you use multiple granular policies."
    TypeMismatch "TYPE_MISMATCH" "Use the operator type {} instead of operator {} for the condition key {}."
    TypeMismatchBoolean "TYPE_MISMATCH_BOOLEAN" "Add a valid Boolean value (true or false) for the condition operator {}."
    TypeMismatchDate "TYPE_MISMATCH_DATE" "The date condition operator is used with an invalid value. Specify a valid date using YYYY-MM-DD or other ISO 8601 date/time format."
    TypeMismatchNumber "TYPE_MISMATCH_NUMBER" "Add a valid numeric value for the condition operator {}."
    TypeMismatchString "TYPE_MISMATCH_STRING" "Add a valid base64-encoded string value for the condition operator {}."
    SpecificGithubRepoAndBranchRecommended "SPECIFIC_GITHUB_REPO_AND_BRANCH_RECOMMENDED" "Using a wildcard (*) in token.actions.githubusercontent.com:sub can allow requests from more sources than you intended. Specify the value of token.actions.githubusercontent.com:sub with the repository and branch name. If the subject claim does not include the branch, specify it in a token.actions.githubusercontent.com:ref condition key."
    PolicySizeExceedsRoleTrustPolicyQuota "POLICY_SIZE_EXCEEDS_ROLE_TRUST_POLICY_QUOTA" "The characters in the role trust policy, excluding whitespace, exceed the character maximum. We recommend that you request a role trust policy length quota increase using Service Quotas and AWS Support Center. If the quotas have already been increased, then you can ignore this warning."
    RcpMissingRelatedPrincipalConditionKey "RCP_MISSING_RELATED_PRINCIPAL_CONDITION_KEY" "RCPs impact IAM roles, users, and AWS service principals. To prevent unintended impact to services acting on your behalf using a service principal, an additional statement should be added to the Condition block \"BoolIfExists\": { \"aws:PrincipalIsAWSService\": \"false\"} whenever a principal key {} is used."
    RcpMissingRelatedServicePrincipalConditionKey "RCP_MISSING_RELATED_SERVICE_PRINCIPAL_CONDITION_KEY" "RCPs impact IAM roles, users, and AWS service principals. To prevent unintended impact to your principals, an additional statement should be added to the Condition block \"BoolIfExists\": { \"aws:PrincipalIsAWSService\": \"true\"} whenever the key {} is used."
    RcpMissingServiceConditionKeyNullCheck "RCP_MISSING_SERVICE_CONDITION_KEY_NULL_CHECK" "The specified service may have a service integration that does not require the use of the {} condition key. To prevent unintended impact to services acting on your behalf using a service principal, an additional statement should be added to the Condition block \"Null\": { \"aws:SourceAccount\": \"false\"} or \"Null\": { \"aws:SourceArn\": \"false\"} whenever the key {} is used."
    UseConditionKeyOnlyWithSupportedServices "USE_CONDITION_KEY_ONLY_WITH_SUPPORTED_SERVICES" "The condition key {} works only with specific AWS services and must be scoped to supported services in your policies."
}
SecurityWarning {
    UntrustworthyConditionKey "UNTRUSTWORTHY_CONDITION_KEY" "The {} condition key is not recommended for access control as it can be spoofed/manipulated by the caller."
    AllowWithNotPrincipal "ALLOW_WITH_NOT_PRINCIPAL" "Using Allow with NotPrincipal can be overly permissive. We recommend that you use Principal instead."
    ForAllValuesWithSingleValuedKey "FORALLVALUES_WITH_SINGLE_VALUED_KEY" "Using ForAllValues qualifier with the single-valued condition key {} can be overly permissive. We recommend that you remove ForAllValues:."
    PassRoleWithNotResource "PASS_ROLE_WITH_NOT_RESOURCE" "Using the iam:PassRole action with NotResource can be overly permissive because it can allow iam:PassRole permissions on multiple resources. We recommend that you specify resource ARNs instead."
    PassRoleWithStarInActionAndNotResource "PASS_ROLE_WITH_STAR_IN_ACTION_AND_NOT_RESOURCE" "Using an action with a wildcard (*) and NotResource can be overly permissive because it can allow iam:PassRole permissions on multiple resources. We recommend that you specify resource ARNs instead."
    PassRoleWithNotActionAndNotResource "PASS_ROLE_WITH_NOT_ACTION_AND_NOT_RESOURCE" "Using NotAction with NotResource can be overly permissive because it can allow iam:PassRole permissions on multiple resources.. We recommend that you specify resource ARNs instead."
    PassRoleWithStarInResource "PASS_ROLE_WITH_STAR_IN_RESOURCE" "Using the iam:PassRole action with wildcards (*) in the resource can be overly permissive because it allows iam:PassRole permissions on multiple resources. We recommend that you specify resource ARNs or add the iam:PassedToService condition key to your statement."
    PassRoleWithStarInActionAndResource "PASS_ROLE_WITH_STAR_IN_ACTION_AND_RESOURCE" "Using wildcards (*) in the action and the resource can be overly permissive because it allows iam:PassRole permissions on all resources. We recommend that you specify resource ARNs or add the iam:PassedToService condition key to your statement."
    PassRoleWithStarInResourceAndNotAction "PASS_ROLE_WITH_STAR_IN_RESOURCE_AND_NOT_ACTION" "Using a resource with wildcards (*) and NotAction can be overly permissive because it allows iam:PassRole permissions on all resources. We recommend that you specify resource ARNs or add the iam:PassedToService condition key to your statement."
    MissingPairedConditionKeys "MISSING_PAIRED_CONDITION_KEYS" "Using the condition key {} can be overly permissive without also using the following condition keys: {}. Condition keys like this one are more secure when paired with a related key. We recommend that you add the related condition keys to the same condition block."
    DenyWithUnsupportedTagConditionKeyForService "DENY_WITH_UNSUPPORTED_TAG_CONDITION_KEY_FOR_SERVICE" "Using the effect Deny with the tag condition key {} and actions for services with the following prefixes can be overly permissive: {}. Actions for the listed services are not denied by this statement. We recommend that you move these actions to a different statement without this condition key."
    DenyNotActionWithUnsupportedTagConditionKeyForService "DENY_NOTACTION_WITH_UNSUPPORTED_TAG_CONDITION_KEY_FOR_SERVICE" "Using the effect Deny with NotAction and the tag condition key {} can be overly permissive because some service actions are not denied by this statement. This is because the condition key doesn't apply to some service actions. We recommend that you use Action instead of NotAction."
    RestrictAccessToServicePrincipal "RESTRICT_ACCESS_TO_SERVICE_PRINCIPAL" "Granting access to a service principal without specifying a source is overly permissive. Use aws:SourceArn, aws:SourceAccount, aws:SourceOrgID, or aws:SourceOrgPaths condition key to grant fine-grained access."
    MissingConditionKeyForOidcPrincipal "MISSING_CONDITION_KEY_FOR_OIDC_PRINCIPAL" "Using an Open ID Connect principal without a condition can be overly permissive. Add condition keys with a prefix that matches your federated OIDC principals to ensure that only the intended identity provider assumes the role."
    MissingGithubRepoConditionKey "MISSING_GITHUB_REPO_CONDITION_KEY" "Granting a federated GitHub principal permissions without a condition key can allow more sources to assume the role than you intended. Add the token.actions.githubusercontent.com:sub condition key and specify the branch and repository name in the value."
    StringLikeOperatorWithArnConditionKeys "STRING_LIKE_OPERATOR_WITH_ARN_CONDITION_KEYS" "Use the operator type {} instead of operator {} for the condition key {}."
    DynamodbAttributesWithoutSelect "DYNAMODB_ATTRIBUTES_WITHOUT_SELECT" "Restricting dynamodb:Attributes without also setting dynamodb:Select to SPECIFIC_ATTRIBUTES allows all attributes to be returned on read requests that omit a projection expression. We recommend that you also set dynamodb:Select to SPECIFIC_ATTRIBUTES."
    S3PrefixInNegativeContext "S3_PREFIX_IN_NEGATIVE_CONTEXT" "Using the s3:prefix condition key in a Deny statement or with a negated string operator does not block listing the objects under the matching prefixes. A request that specifies a shorter prefix does not match the condition and can still list those objects. To restrict listing to specific prefixes, use s3:prefix with StringLike in an Allow statement, or use a Deny statement with StringNotLike."
    ForAnyValueWithAudienceClaimType "FORANYVALUE_WITH_AUDIENCE_CLAIM_TYPE" "Using ForAnyValue qualifier with the single-valued condition key {} can be overly permissive. We recommend that you remove ForAnyValue:."
}
Suggestion {
    EmptyArrayAction "EMPTY_ARRAY_ACTION" "This statement includes no actions and does not affect the policy. Specify actions."
    EmptyArrayCondition "EMPTY_ARRAY_CONDITION" "There are no values for the condition key {} and it does not affect the policy. Specify conditions."
    EmptyArrayConditionForAllValues "EMPTY_ARRAY_CONDITION_FORALLVALUES" "The ForAllValues prefix with an empty condition key matches only if the key {} is missing from the request context. To determine if the request context is empty, we recommend that you use the Null condition operator with the value of true instead."
    EmptyArrayConditionForAnyValue "EMPTY_ARRAY_CONDITION_FORANYVALUE" "The ForAnyValue prefix with an empty condition key {} never matches the request context and it does not affect the policy. Specify conditions."
    EmptyArrayConditionIfExists "EMPTY_ARRAY_CONDITION_IFEXISTS" "The IfExists suffix with an empty condition key matches only if the key {} is missing from the request context. To determine if the request context is empty, we recommend that you use the Null condition operator with the value of true instead."
    EmptyArrayPrincipal "EMPTY_ARRAY_PRINCIPAL" "This statement includes no principals and does not affect the policy. Specify principals."
    EmptyArrayResource "EMPTY_ARRAY_RESOURCE" "This statement includes no resources and does not affect the policy. Specify resources."
    EmptyObjectCondition "EMPTY_OBJECT_CONDITION" "This condition block is empty and it does not affect the policy. Specify conditions."
    EmptyObjectPrincipal "EMPTY_OBJECT_PRINCIPAL" "This statement includes no principals and does not affect the policy. Specify principals."
    EmptySidValue "EMPTY_SID_VALUE" "Add a value to the empty string in the Sid element."
    EquivalentToNullFalse "EQUIVALENT_TO_NULL_FALSE" "We recommend replacing the key {} in the condition block of {} with {{}: false} to ensure better enforcement of the condition."
    EquivalentToNullTrue "EQUIVALENT_TO_NULL_TRUE" "We recommend replacing the key {} in the condition block of {} with {{}: true} to ensure better enforcement of the condition."
    ImproveIpRange "IMPROVE_IP_RANGE" "The non-zero bits in the IP address after the masked bits are ignored. Replace address with {}."
    NullWithQualifier "NULL_WITH_QUALIFIER" "Avoid using the Null condition operator with the ForAllValues or ForAnyValue qualifiers because they always return a true or false respectively."
    PrivateIpAddressSubset "PRIVATE_IP_ADDRESS_SUBSET" "The values for condition key aws:SourceIp include a mix of private and public IP addresses. The private addresses will not have the desired effect. aws:SourceIp works only for public IP address ranges. To define permissions for private IP ranges, use aws:VpcSourceIp."
    PrivateNotIpAddressSubset "PRIVATE_NOT_IP_ADDRESS_SUBSET" "The values for condition key aws:SourceIp include a mix of private and public IP addresses. The private addresses have no effect. aws:SourceIp works only for public IP address ranges. To define permissions for private IP ranges, use aws:VpcSourceIp."
    RedundantAction "REDUNDANT_ACTION" "The {} action(s) are redundant because they provide similar permissions. Update the policy to remove the redundant action such as: {}."
    RedundantConditionValueNum "REDUNDANT_CONDITION_VALUE_NUM" "Multiple values in {} are redundant. Replace with the {} single value for {}."
    RedundantResource "REDUNDANT_RESOURCE" "The {} resource ARN(s) are redundant because they reference the same resource. Review the use of wildcards (*)"
    RedundantStatement "REDUNDANT_STATEMENT" "The statements are redundant because they provide identical permissions. Update the policy to remove the redundant statement."
    WildcardInServiceName "WILDCARD_IN_SERVICE_NAME" "Avoid using wildcards (*, ?) in the service name because it might grant unintended access to other AWS services with similar names."
    AllowWithUnsupportedTagConditionKeyForService "ALLOW_WITH_UNSUPPORTED_TAG_CONDITION_KEY_FOR_SERVICE" "Using the effect Allow with the tag condition key {} and actions for services with the following prefixes does not affect the policy: {}. Actions for the listed service are not allowed by this statement. We recommend that you move these actions to a different statement without this condition key."
    AllowNotActionWithUnsupportedTagConditionKeyForService "ALLOW_NOTACTION_WITH_UNSUPPORTED_TAG_CONDITION_KEY_FOR_SERVICE" "Using the effect Allow with NotAction and the tag condition key {} allows only service actions that support the condition key. The condition key doesn't apply to some service actions. We recommend that you use Action instead of NotAction."
    RecommendedConditionKeyForServicePrincipal "RECOMMENDED_CONDITION_KEY_FOR_SERVICE_PRINCIPAL" "To restrict access to the service principal {} operating on your behalf, we recommend aws:SourceArn, aws:SourceAccount, aws:SourceOrgID, or aws:SourceOrgPaths instead of {}."
    IrrelevantConditionKeyInPolicy "IRRELEVANT_CONDITION_KEY_IN_POLICY" "The condition key {} is not relevant for the {} policy.  Use this key in an identity-based policy to govern access to this resource."
    RedundantKeyDueToWildcardInCondition "REDUNDANT_KEY_DUE_TO_WILDCARD_IN_CONDITION" "The key {} in the condition block of {} is redundant because it is always matched. Remove this key to simplify the condition."
    RedundantPrincipalInRoleTrustPolicy "REDUNDANT_PRINCIPAL_IN_ROLE_TRUST_POLICY" "The assumed-role principal {} is redundant with its parent role {}. Remove the assumed-role principal."
    RedundantStatementDueToWildcardInCondition "REDUNDANT_STATEMENT_DUE_TO_WILDCARD_IN_CONDITION" "The key {} in the condition block of {} does not match any values. Remove this key to simplify the condition."
}
}
