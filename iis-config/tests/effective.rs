//! Effective configuration and the schema language, over files written for it and over Microsoft's own.

use iis_config::effective::{Configuration, IdentityType};
use iis_config::schema::Schema;
use spanned_xml::Source;

const SCHEMA: &str = r#"<configSchema>
<sectionSchema name="system.webServer/handlers">
  <collection addElement="add" removeElement="remove" clearElement="clear" mergeAppend="false">
    <attribute name="name" type="string" caseSensitive="true" required="true" isUniqueKey="true"/>
    <attribute name="path" type="string" required="true"/>
    <attribute name="verb" type="string" required="true"/>
    <attribute name="modules" type="string" defaultValue="ManagedPipelineHandler"/>
    <attribute name="scriptProcessor" type="string"/>
  </collection>
</sectionSchema>
<sectionSchema name="list">
  <attribute name="mode" type="string" defaultValue="none"/>
  <attribute name="level" type="uint" defaultValue="1"/>
  <collection addElement="add" removeElement="remove" clearElement="clear">
    <attribute name="name" type="string" isUniqueKey="true"/>
  </collection>
</sectionSchema>
</configSchema>"#;

const HOST: &str = r#"<configuration>
<configSections>
  <section name="list"/>
  <sectionGroup name="system.webServer"><section name="handlers" overrideModeDefault="Deny"/></sectionGroup>
</configSections>
<system.applicationHost><sites><site name="Site" id="1">
  <application path="/"/><application path="/app"/>
</site></sites></system.applicationHost>
<list level="2"><add name="a"/><add name="b"/></list>
<system.webServer><handlers><add name="static" path="*" verb="*"/></handlers></system.webServer>
LOCATION
</configuration>"#;

fn text(name: &str, content: &str) -> Source {
    Source::from_text(name, content)
}

#[expect(
    clippy::unwrap_used,
    reason = "a file that cannot be read is a failure"
)]
fn schema() -> Schema {
    let mut schema = Schema::new();
    assert_eq!(schema.read(&text("schema.xml", SCHEMA)).unwrap(), []);
    schema
}

/// The entries' names and the codes of problems of `section` at `place`, with `webs` as (place, content).
fn entries(
    location: &str,
    webs: &[(&str, &str)],
    place: &str,
    section: &str,
) -> (Vec<String>, Vec<&'static str>) {
    entries_of(&HOST.replace("LOCATION", location), webs, place, section)
}

#[expect(
    clippy::unwrap_used,
    reason = "a file that cannot be read is a failure"
)]
/// The same with the machine's file as it is.
fn entries_of(
    host: &str,
    webs: &[(&str, &str)],
    place: &str,
    section: &str,
) -> (Vec<String>, Vec<&'static str>) {
    let schema = schema();
    let mut configuration = Configuration::new(&schema, text("host", host)).unwrap();
    for (place, content) in webs {
        let content = format!("<configuration>{content}</configuration>");
        configuration
            .web_config(place, text(place, &content))
            .unwrap();
    }
    let found = configuration.section(place, section).unwrap();
    let names = found.element.entries.iter();
    let problems = found.problems.iter().flat_map(|of| &of.problems);
    (
        names
            .map(|entry| entry.value("name").unwrap_or_default().to_owned())
            .collect(),
        problems.map(|problem| problem.code).collect(),
    )
}

#[test]
fn collections_are_merged_downwards() {
    for (location, webs, place, expected) in [
        ("", vec![], "", vec!["a", "b"]),
        (
            "",
            vec![("Site", "<list><add name='c'/></list>")],
            "Site/app",
            vec!["a", "b", "c"],
        ),
        (
            "",
            vec![("Site/app", "<list><add name='c'/></list>")],
            "Site",
            vec!["a", "b"],
        ),
        (
            "",
            vec![("Other", "<list><clear/></list>")],
            "Site",
            vec!["a", "b"],
        ),
        (
            "",
            vec![("site", "<list><remove name='A'/><add name='a'/></list>")],
            "Site",
            vec!["b", "a"],
        ),
        (
            "",
            vec![("Site", "<list><clear/><add name='z'/></list>")],
            "Site/x/y",
            vec!["z"],
        ),
        (
            "<location path='Site'><list><add name='l'/></list></location>",
            vec![("Site", "<list><remove name='l'/></list>")],
            "Site",
            vec!["a", "b"],
        ),
        (
            "<location path='Site/app'><list><clear/></list></location>",
            vec![],
            "Site",
            vec!["a", "b"],
        ),
        (
            "<location path='Site/app'><list><clear/></list></location>",
            vec![],
            "SITE/App/x",
            vec![],
        ),
        // A web.config's location for a folder below it comes after the web.config, before the folder's own.
        (
            "",
            vec![
                ("Site/x", "<list><add name='2'/></list>"),
                (
                    "Site",
                    "<location path='x'><list><add name='1'/></list></location>",
                ),
            ],
            "Site/x",
            vec!["a", "b", "1", "2"],
        ),
        // inheritInChildApplications="false" ends at /app, which is an application, and not at /other, a folder.
        (
            "",
            vec![(
                "Site",
                "<location path='.' inheritInChildApplications='false'><list><add name='w'/></list></location>",
            )],
            "Site/other",
            vec!["a", "b", "w"],
        ),
        (
            "",
            vec![(
                "Site",
                "<location path='.' inheritInChildApplications='false'><list><add name='w'/></list></location>",
            )],
            "Site/app/x",
            vec!["a", "b"],
        ),
    ] {
        let (found, problems) = entries(location, &webs, place, "list");
        assert_eq!(found, expected, "{location} {webs:?} {place}");
        assert!(problems.is_empty(), "{problems:?}");
    }
}

#[test]
fn merge_append_false_puts_deeper_entries_first() {
    let unlock = "<location path='' overrideMode='Allow'><system.webServer><handlers/></system.webServer></location>";
    let web = "<system.webServer><handlers><add name='1' path='*' verb='*'/><add name='2' path='*' verb='*'/></handlers></system.webServer>";
    assert_eq!(
        entries(
            unlock,
            &[("Site", web)],
            "Site",
            "system.webServer/handlers"
        ),
        (
            vec!["1".to_owned(), "2".to_owned(), "static".to_owned()],
            vec![]
        )
    );
}

#[test]
fn locks_are_reported_and_not_merged() {
    let handlers = "<system.webServer><handlers><add name='1' path='*' verb='*'/></handlers></system.webServer>";
    let add = "<list><add name='c'/></list>";
    let unlocked = "<location path='Site' overrideMode='Allow'><system.webServer><handlers/></system.webServer></location>";
    let legacy = "<location path='Site' allowOverride='false'><list/></location>";
    for (location, web, section, code) in [
        (
            "",
            handlers,
            "system.webServer/handlers",
            Some("iis-config-section-locked"),
        ),
        (unlocked, handlers, "system.webServer/handlers", None),
        (legacy, add, "list", Some("iis-config-section-locked")),
        (
            "<location path='Site'><list lockItem='true'/></location>",
            add,
            "list",
            Some("iis-config-element-locked"),
        ),
        (
            "<location path='Site'><list lockElements='add'/></location>",
            add,
            "list",
            Some("iis-config-element-locked"),
        ),
        (
            "<location path='Site'><list lockElements='clear'/></location>",
            add,
            "list",
            None,
        ),
        (
            "<location path='Site'><list lockAttributes='mode'/></location>",
            "<list mode='x'/>",
            "list",
            Some("iis-config-attribute-locked"),
        ),
        (
            "<location path='Site'><list lockAllAttributesExcept='mode'/></location>",
            "<list mode='x'/>",
            "list",
            None,
        ),
        (
            "<location path='Site'><list><add name='k' lockItem='true'/></list></location>",
            "<list><remove name='k'/></list>",
            "list",
            Some("iis-config-element-locked"),
        ),
        (
            "<location path='Site'><list><add name='k' lockItem='true'/></list></location>",
            "<list><clear/></list>",
            "list",
            Some("iis-config-element-locked"),
        ),
        (
            "",
            "<list><add name='a'/></list>",
            "list",
            Some("iis-config-entry-duplicate"),
        ),
        (
            "",
            "<list configSource='list.config'/>",
            "list",
            Some("iis-config-source"),
        ),
    ] {
        let (found, problems) = entries(location, &[("Site", web)], "Site", section);
        assert_eq!(problems, Vec::from_iter(code), "{location} {web}");
        if code.is_some() && code != Some("iis-config-source") {
            let (without, _) = entries(location, &[], "Site", section);
            assert_eq!(found, without, "{location} {web}");
        }
    }
}

#[test]
fn declarations_say_where_a_section_may_be() {
    let add = "<list><add name='c'/></list>";
    let below = "<location path='x'><list><add name='c'/></list></location>";
    let locked = Some("iis-config-section-locked");
    for (declared, place, web, at, code) in [
        ("Everywhere", "Site/x", add, "Site/x", None),
        ("MachineToApplication", "Site", add, "Site/x", None),
        ("MachineToApplication", "Site/app", add, "Site/app/x", None),
        ("MachineToApplication", "Site/x", add, "Site/x", locked),
        (
            "MachineToApplication",
            "Site/app/x",
            add,
            "Site/app/x",
            locked,
        ),
        ("MachineToApplication", "Site", below, "Site/x", locked),
        ("machinetoapplication", "Site/x", add, "Site/x", locked),
        ("MachineOnly", "Site", add, "Site", locked),
        ("MachineToRootWeb", "Site", add, "Site", locked),
        ("AppHostOnly", "Site", add, "Site", locked),
    ] {
        let of = format!("{declared} {place} {web}");
        let declaration = format!("<section name=\"list\" allowDefinition=\"{declared}\"/>");
        let host = HOST.replace("<section name=\"list\"/>", &declaration);
        let (names, codes) = entries_of(&host, &[(place, web)], at, "list");
        assert_eq!(codes, Vec::from_iter(code), "{of}");
        assert_eq!(names.contains(&"c".to_owned()), code.is_none(), "{of}");
        // What the machine's own file says for that place holds whatever the declaration.
        let location = format!("<location path=\"{at}\">{add}</location>");
        let (names, codes) = entries_of(&host.replace("LOCATION", &location), &[], at, "list");
        assert_eq!((names.len(), codes), (3, vec![]), "{of}");
    }
}

#[test]
fn a_section_without_locations_is_refused_in_them() {
    let host = HOST.replace(
        "<section name=\"list\"/>",
        "<section name=\"list\" allowLocation=\"false\"/>",
    );
    let add = "<list><add name='c'/></list>";
    let inside = format!("<location path='x'>{add}</location>");
    for (web, names, codes) in [
        (add, vec!["a", "b", "c"], vec![]),
        (
            inside.as_str(),
            vec!["a", "b"],
            vec!["iis-config-no-location"],
        ),
    ] {
        let found = entries_of(&host, &[("Site", web)], "Site/x", "list");
        let names: Vec<String> = names.into_iter().map(str::to_owned).collect();
        assert_eq!(found, (names, codes), "{web}");
    }
    let host = host.replace(
        "LOCATION",
        &format!("<location path='Site'>{add}</location>"),
    );
    let found = entries_of(&host, &[], "Site", "list");
    assert_eq!(found.1, ["iis-config-no-location"]);
}

#[test]
fn sections_kept_elsewhere_are_merged_where_they_are_named() {
    let schema = schema();
    let host = HOST.replace("LOCATION", "");
    let web = "<configuration><list configSource='Parts\\List.config'/></configuration>";
    for (place, path, content, names, code) in [
        (
            "Site",
            "parts/list.config",
            "<list mode='e'><remove name='a'/><add name='c'/></list>",
            "b c",
            None,
        ),
        (
            "Site",
            r".\PARTS\list.config",
            "<list><clear/></list>",
            "",
            None,
        ),
        (
            "Site",
            "other.config",
            "<list/>",
            "a b",
            Some(("web", "iis-config-source")),
        ),
        (
            "",
            "parts/list.config",
            "<list/>",
            "a b",
            Some(("web", "iis-config-source")),
        ),
        (
            "Site",
            "parts/list.config",
            "<configuration><list/></configuration>",
            "a b",
            Some(("elsewhere", "iis-config-source-root")),
        ),
        (
            "Site",
            "parts/list.config",
            "<list><add name='a'/></list>",
            "a b",
            Some(("elsewhere", "iis-config-entry-duplicate")),
        ),
    ] {
        let mut configuration = Configuration::new(&schema, text("host", &host)).unwrap();
        configuration.web_config("Site", text("web", web)).unwrap();
        configuration
            .config_source(place, path, text("elsewhere", content))
            .unwrap();
        let section = configuration.section("Site", "list").unwrap();
        let entries = section.element.entries.iter();
        let found: Vec<_> = entries.filter_map(|entry| entry.value("name")).collect();
        assert_eq!(found.join(" "), names, "{content}");
        let problems: Vec<_> = section
            .problems
            .iter()
            .flat_map(|of| of.problems.iter().map(|one| (of.source.name(), one.code)))
            .collect();
        assert_eq!(problems, Vec::from_iter(code), "{content}");
        if section.element.value("mode") == Some("e") {
            let place = section.element.attributes["mode"].place.as_ref().unwrap();
            assert_eq!(place.0, "elsewhere");
        }
    }
    let mut configuration = Configuration::new(&schema, text("host", &host)).unwrap();
    let refused = configuration.config_source("", "x", text("x", "<list"));
    assert!(refused.is_err());
}

#[test]
fn settings_know_where_they_come_from() {
    let schema = schema();
    let host = HOST.replace("LOCATION", "");
    let mut configuration = Configuration::new(&schema, text("host", &host)).unwrap();
    configuration
        .web_config(
            "Site",
            text("web", "<configuration><list mode='x'/></configuration>"),
        )
        .unwrap();
    let list = configuration.section("Site", "list").unwrap().element;
    assert_eq!(
        (list.value("mode"), list.value("level")),
        (Some("x"), Some("2"))
    );
    let from = |name: &str| {
        list.attributes[name]
            .place
            .as_ref()
            .map(|place| place.0.as_str())
    };
    assert_eq!((from("mode"), from("level")), (Some("web"), Some("host")));
    assert!(
        configuration
            .section("", "list")
            .unwrap()
            .element
            .attributes["mode"]
            .place
            .is_none()
    );
    assert!(configuration.section("", "unknown").is_none());
    let refused = configuration.web_config(
        "Site",
        text("web", "<!DOCTYPE a [<!ENTITY b 'c'>]><configuration/>"),
    );
    assert_eq!(refused.unwrap_err().problems[0].code, "xml-doctype");
}

#[expect(
    clippy::disallowed_methods,
    clippy::print_stderr,
    reason = "tests read the samples where they are and say aloud when they cannot"
)]
fn sample(path: &str) -> Option<Source> {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../shared/samples/iis");
    let Ok(octets) = std::fs::read(format!("{folder}/{path}")) else {
        eprintln!("skipped: {folder}/{path} is not there");
        return None;
    };
    Source::decode(path, &octets).ok()
}

#[expect(
    clippy::unwrap_used,
    reason = "a file that cannot be read is a failure"
)]
fn microsofts() -> Option<Schema> {
    let mut schema = Schema::new();
    for name in [
        "IIS_schema",
        "httpplatform_schema",
        "rewrite_schema",
        "aspnetcore_schema_v2",
    ] {
        let source = sample(&format!("schema/{name}.xml"))?;
        assert_eq!(schema.read(&source).unwrap(), [], "{name}");
    }
    Some(schema)
}

#[test]
fn microsofts_schema_files_are_read() {
    let Some(schema) = microsofts() else { return };
    assert!(schema.section_paths().count() >= 63);
    let pools = schema
        .section("system.applicationHost/applicationPools")
        .unwrap();
    let pool = &pools.collection.as_ref().unwrap().entry;
    assert_eq!(
        pool.attribute("queueLength")
            .unwrap()
            .default_value
            .as_deref(),
        Some("1000")
    );
    assert!(
        !schema
            .section("system.webServer/handlers")
            .unwrap()
            .collection
            .as_ref()
            .unwrap()
            .merge_append
    );
}

#[test]
fn the_machines_file_of_a_sample_is_effective() {
    let Some(schema) = microsofts() else { return };
    let Some(host) = sample("apphost/jexus_original2.config") else {
        return;
    };
    let configuration = Configuration::new(&schema, host).unwrap();
    let pools = configuration.application_pools();
    assert!(!pools.is_empty());
    for pool in &pools {
        assert!(!pool.account().is_empty(), "{pool:?}");
        assert!(pool.element.value("queueLength").is_some(), "{pool:?}");
    }
    assert!(
        configuration
            .handlers("")
            .iter()
            .any(|handler| handler.name == "StaticFile")
    );
}

#[test]
fn pools_take_their_defaults() {
    let Some(schema) = microsofts() else { return };
    let host = r#"<configuration><system.applicationHost>
      <applicationPools>
        <add name="One"/><add name="Two"><processModel identityType="SpecificUser" userName="me"/></add>
        <applicationPoolDefaults queueLength="77"><processModel identityType="NetworkService" loadUserProfile="true"/></applicationPoolDefaults>
      </applicationPools>
      <sites>
        <site name="Site" id="1"><application path="/"/><application path="/two" applicationPool="Two"/></site>
        <applicationDefaults applicationPool="One"/>
      </sites>
    </system.applicationHost></configuration>"#;
    let configuration = Configuration::new(&schema, text("host", host)).unwrap();
    let one = configuration.application_pool("site", "/").unwrap();
    assert_eq!(
        (one.name.as_str(), one.identity_type),
        ("One", IdentityType::NetworkService)
    );
    assert_eq!(
        (one.load_user_profile, one.element.value("queueLength")),
        (true, Some("77"))
    );
    let two = configuration.application_pool("Site", "/two").unwrap();
    assert_eq!(
        (two.identity_type, two.account()),
        (IdentityType::SpecificUser, "me".to_owned())
    );
    assert!(two.load_user_profile);
    assert!(configuration.application_pool("Site", "/three").is_none());
    let defaults = configuration.application_pools();
    assert_eq!(defaults[0].idle_timeout, "00:20:00");
}

#[test]
fn samples_keep_to_the_schema() {
    let Some(schema) = microsofts() else { return };
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../shared/samples/iis");
    let mut checked = 0;
    for group in ["apphost", "webconfig"] {
        for entry in std::fs::read_dir(format!("{folder}/{group}")).unwrap() {
            let name = entry.unwrap().file_name().into_string().unwrap();
            if name.contains("missing_closing") {
                continue;
            }
            let source = sample(&format!("{group}/{name}")).unwrap();
            let Ok(problems) = schema.check(&source) else {
                eprintln!("{name} is not a configuration file");
                continue;
            };
            // IIS's own sample has a cache of no duration, which the schema's range excludes; WebDAV's and iisnode's
            // schema files are not among the samples.
            for problem in problems {
                let place = source.slice(problem.span.unwrap());
                let known = ["webdav", "iisnode", "00:00:00"].contains(&place);
                assert!(known, "{name}: {problem}");
            }
            checked += 1;
        }
    }
    assert!(checked > 10);
}
