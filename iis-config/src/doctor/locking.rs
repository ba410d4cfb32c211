//! Whether a `web.config` may have a `handlers` section, and what is in it: *IIS configuration reference*, "Using locking
//! in IIS configuration".
//!
//! [`crate::effective`] knows every kind of lock. It wants the schema of that IIS, which the doctor has not; of the
//! section `handlers`, which is the same since IIS 7, it knows enough itself.

use spanned_xml::{Problem, Source};

use super::files::Files;
use super::report::Found;
use crate::effective::Configuration;
use crate::schema::Schema;

const SECTION: &str = "system.webServer/handlers";

/// What locks can be on.
const SCHEMA: &str = r#"<configSchema>
  <sectionSchema name="system.webServer/handlers">
    <attribute name="accessPolicy" type="string" />
    <collection addElement="add" removeElement="remove" clearElement="clear" mergeAppend="false">
      <attribute name="name" type="string" isUniqueKey="true" />
    </collection>
  </sectionSchema>
</configSchema>"#;

pub(super) fn check(files: &Files<'_>, found: &mut Found<'_>) {
    let Some(host) = &files.host else {
        return;
    };
    let mut schema = Schema::new();
    let read = schema.read(&Source::from_text("the section handlers", SCHEMA));
    debug_assert!(read.is_ok(), "{read:?}");
    let Ok(mut configuration) = Configuration::new(&schema, host.source.clone()) else {
        return;
    };
    for (number, web) in files.webs.iter().enumerate() {
        // Of a file without a known place: one that no site has, since a name cannot have a question mark.
        let nowhere = format!("?{number}");
        let place = if web.place.is_empty() {
            &nowhere
        } else {
            web.place
        };
        // It was parsed before, so there is nothing to be refused.
        let _parsed = configuration.web_config(place, web.source.clone());
    }
    for (number, web) in files.webs.iter().enumerate() {
        for refused in configuration.refused_in(number, SECTION) {
            let (true, Some(span)) = (refused.code.ends_with("-locked"), refused.span) else {
                continue;
            };
            found.push(
                web.subject,
                Problem::error("iis-handlers-locked", refused.message)
                    .at(span)
                    .help(
                        r#"as an administrator: `%windir%\System32\inetsrv\appcmd unlock config -section:system.webServer/handlers`; or put the handler into applicationHost.config, in a <location> of the site"#,
                    ),
            );
        }
    }
}
