//! `productId`: what WebPI knows a product by.
//!
//! Identifiers are compared without regard to the case of ASCII letters. WebPI names a folder after a product and takes
//! lists of products with commas between them, so an identifier must fit both.

/// `productId` of Web Deploy, which installs packages.
pub const WEB_DEPLOY: &str = "WDeploy";

/// `productId` of the IIS Management Console, which Web Deploy needs on IIS.
pub const IIS_MANAGEMENT_CONSOLE: &str = "IISManagementConsole";

/// Products of Microsoft's own feeds that applications commonly depend on. A custom feed was loaded beside those feeds, so it
/// may depend on them without listing them.
pub const MAIN_FEED_PRODUCTS: &[&str] = &[
    WEB_DEPLOY,
    IIS_MANAGEMENT_CONSOLE,
    "ASPNET",
    "ASPNET45",
    "ASPNET_REGIIS_NET4",
    "AppWarmUp",
    "CGI",
    "DefaultDocument",
    "DirectoryBrowse",
    "FastCGIIIS6",
    "HTTPErrors",
    "HTTPLogging",
    "IIS51",
    "IIS60",
    "IIS7",
    "IISExpress",
    "ISAPIExtensions",
    "ISAPIFilters",
    "LoggingTools",
    "MVC3",
    "ManagementService",
    "NETExtensibility",
    "NETFramework35",
    "NETFramework4",
    "NetFxExtensibility45",
    "PHP53",
    "PyDistributeModule",
    "Python27",
    "PythonToolsForVS",
    "RequestFiltering",
    "RequestMonitor",
    "SQLExpress",
    "StaticContent",
    "StaticContentCompression",
    "UrlRewrite",
    "UrlRewrite10",
    "UrlRewrite2",
    "UrlRewrite2Beta",
    "WDeployNoSMO",
    "WDeploy_v2",
    "WebMatrix",
    "WebMatrix_appdetect",
    "WinCache53",
];

/// Whether Microsoft's own feeds have this product.
pub(crate) fn is_in_main_feed(product_id: &str) -> bool {
    MAIN_FEED_PRODUCTS
        .iter()
        .any(|known| known.eq_ignore_ascii_case(product_id))
}

/// Why a text cannot be a product identifier; none where it can.
pub(crate) fn fault(product_id: &str) -> Option<&'static str> {
    if product_id.is_empty() {
        Some("it is empty")
    } else if product_id.len() > 100 {
        Some("it is longer than 100 octets, too long for a folder's name in WebPI's cache")
    } else if product_id.starts_with('.') || product_id.ends_with('.') {
        Some("a folder is named after it, and Windows drops dots at a folder name's end")
    } else if product_id
        .chars()
        .any(|character| character.is_whitespace() || character.is_control())
    {
        Some("it has white space in it; use letters, digits, `_`, `-` and `.`")
    } else if product_id.contains([
        '\\', '/', ':', '*', '?', '"', '<', '>', '|', ',', '\'', '%', '&',
    ]) {
        Some(
            "it has a character in it that cannot be in a folder's name or a list; use letters, digits, `_`, `-` and `.`",
        )
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_can_be_an_identifier() {
        for (product_id, fits) in [
            ("IISWSGISampleApp", true),
            ("Hg_3_2_4", true),
            ("sample-app.msdeploy", true),
            ("Über", true),
            ("", false),
            ("a b", false),
            ("a,b", false),
            ("a/b", false),
            ("..", false),
            (&"x".repeat(101), false),
        ] {
            assert_eq!(fault(product_id).is_none(), fits, "{product_id}");
        }
        for product_id in MAIN_FEED_PRODUCTS {
            assert_eq!(fault(product_id), None);
        }
    }
}
