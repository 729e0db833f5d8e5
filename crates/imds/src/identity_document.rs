//! The instance identity document.

use daypass_core::store::records::Instance;
use serde_json::json;

use crate::credentials::pretty;

/// `dynamic/instance-identity/document` (EC2 user guide, "Instance identity documents").
pub(crate) fn document(instance: &Instance) -> String {
    pretty(&json!({
        "accountId": instance.account.as_str(),
        "architecture": "x86_64",
        "availabilityZone": instance.network.availability_zone,
        "billingProducts": null,
        "devpayProductCodes": null,
        "marketplaceProductCodes": null,
        "imageId": instance.image_id,
        "instanceId": instance.id,
        "instanceType": instance.instance_type,
        "kernelId": null,
        "pendingTime": instance.launched.to_string(),
        "privateIp": instance.network.private_ip.to_string(),
        "ramdiskId": null,
        "region": instance.region,
        "version": "2017-09-30",
    }))
}
