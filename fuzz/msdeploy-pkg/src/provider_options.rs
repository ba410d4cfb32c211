//! [`ProviderOptions`]: what decodes is written and read again.

use msdeploy_pkg::ProviderOptions;

/// The input is the text of an attribute, and the \[MS-NRBF\] stream that such a text carries.
pub fn check(octets: &[u8]) {
    if let Ok(text) = core::str::from_utf8(octets) {
        let _ = ProviderOptions::decode(text);
    }
    let Ok(options) = ProviderOptions::from_stream(octets) else {
        return;
    };
    let stream = options.to_stream();
    let again = ProviderOptions::from_stream(&stream).expect("what is written reads");
    assert_eq!(again, options);
    assert_eq!(again.to_stream(), stream);
    let decoded = ProviderOptions::decode(&options.encode()).expect("what is encoded decodes");
    assert_eq!(decoded, options);
    let longer = [&stream[..], &[0]].concat();
    for broken in [&stream[1..], &stream[..stream.len() - 1], &longer] {
        assert!(ProviderOptions::from_stream(broken).is_err());
    }
}
