//! One bad package for each code of `msdeploy check`: what is wrong with it, where, and what to do.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::io::Cursor;

use msdeploy_pkg::{
    CheckOptions, CheckReport, CheckedFile, FileKind, Layout, Manifest, PackageCheck,
    PackageLimits, PackageWriter, Parameters, Timestamp, check_archive, check_files,
};
use spanned_xml::{Problem, Source};

const APP: &str = "<iisApp path='App'/><setAcl path='App/data'/>";
const PATHS: &str = "<parameter name='Path' tags='iisApp'><parameterEntry kind='ProviderPath' scope='iisApp' match='^App$'/></parameter>\
    <parameter name='Data' defaultValue='{Path}/data' tags='Hidden'><parameterEntry kind='ProviderPath' scope='setAcl' match='data'/></parameter>\
    <parameter name='Start' defaultValue='{Path}' tags='AppURL,Hidden'/>";

/// Providers, parameters, files with their text, and the codes expected.
type Case<'c> = (
    &'c str,
    Option<&'c str>,
    &'c [(&'c str, &'c str)],
    &'c [&'c str],
);

fn run(manifest: &str, parameters: Option<&str>, files: &[(&str, &str)]) -> CheckReport {
    let manifest = Source::from_text("Manifest.xml", format!("<m>{manifest}</m>"));
    let (manifest, _) = Manifest::parse(&manifest).unwrap();
    let parameters = parameters.map(|xml| {
        let xml = format!("<parameters>{xml}</parameters>");
        Parameters::parse(&Source::from_text("Parameters.xml", xml))
            .unwrap()
            .0
    });
    let names: Vec<&str> = files.iter().map(|(name, _)| *name).collect();
    PackageCheck::new(Layout::Gallery, &manifest)
        .parameters(parameters.as_ref())
        .files(&names)
        .run(&mut |name: &str| {
            let (_, text) = files.iter().find(|(known, _)| *known == name)?;
            Some(text.as_bytes().to_vec())
        })
}

/// The codes, where every finding that is about a file has a place in it, and every one a help.
fn codes(report: &CheckReport) -> Vec<&'static str> {
    for problem in report.iter() {
        assert!(problem.help.is_some(), "{problem:?}");
    }
    let about_all = [
        "check-no-iis-app",
        "check-no-set-acl",
        "check-no-application-parameter",
        "check-database-tags",
        "check-no-start-page",
    ];
    for problem in report.manifest.iter().chain(&report.parameters) {
        assert!(
            problem.span.is_some() || about_all.contains(&problem.code),
            "{problem:?}"
        );
    }
    report.iter().map(|problem| problem.code).collect()
}

fn check(manifest: &str, parameters: Option<&str>, files: &[(&str, &str)], expected: &[&str]) {
    assert_eq!(
        codes(&run(manifest, parameters, files)),
        expected,
        "{manifest} {parameters:?}"
    );
}

#[test]
fn a_good_package_has_no_findings() {
    check(
        APP,
        Some(&format!(
            "{PATHS}<parameter name='N'><parameterEntry kind='TextFile' scope='\\\\a\\.ini$' match='@NAME@'/></parameter>\
             <parameter name='X'><parameterEntry kind='XmlFile' scope='config$' match='//@b'/></parameter>"
        )),
        &[("App/a.ini", "@NAME@"), ("App/web.config", "<a b='1'/>")],
        &[],
    );
}

#[test]
fn manifests() {
    let good = format!(
        "{PATHS}<parameter name='All' defaultValue='x' tags='Hidden'><parameterEntry kind='ProviderPath' scope='.' match='.'/></parameter>"
    );
    let file = [("App/a", "")];
    let cases: [Case<'_>; 9] = [
        (
            "<setAcl path='App'/>",
            Some(&good),
            &file,
            &[
                "check-no-iis-app",
                "check-provider-path-unmatched",
                "check-provider-path-unmatched",
            ],
        ),
        (
            "<iisApp path='App'/>",
            Some(&good),
            &file,
            &["check-no-set-acl", "check-provider-path-unmatched"],
        ),
        (
            &format!("{APP}<runCommand path='x'/>"),
            Some(&good),
            &file,
            &["check-provider-not-in-gallery"],
        ),
        (
            &format!("{APP}<setAcl path='other'/>"),
            Some(PATHS),
            &file,
            &["check-provider-without-entry"],
        ),
        (
            APP,
            Some(&good),
            &[("Other/a", "")],
            &["check-path-not-in-package"],
        ),
        (
            &format!("{APP}<dbMySql path='a.sql'/>"),
            Some(&good),
            &[("App/a", ""), ("b.sql", "")],
            &["check-path-not-in-package", "check-database-tags"],
        ),
        (
            &format!("{APP}<setAcl path='app\\' setAclAccess='Read, write'/>"),
            Some(&good),
            &file,
            &["check-acl-application"],
        ),
        (
            &format!(
                "{APP}<runCommand path='%SystemDrive%\\Python27\\Scripts\\iiswsgi_install.exe -v'/>"
            ),
            Some(&good),
            &file,
            &["check-provider-not-in-gallery", "check-no-stamp"],
        ),
        (
            &format!("{APP}<runCommand path='iiswsgi_install.exe'/>"),
            Some(&good),
            &[("App/IIS_install.stamp", "")],
            &["check-provider-not-in-gallery"],
        ),
    ];
    for (manifest, parameters, files, expected) in cases {
        check(manifest, parameters, files, expected);
    }
    check(
        APP,
        None,
        &file,
        &[
            "check-provider-without-entry",
            "check-provider-without-entry",
            "check-no-parameters",
        ],
    );
}

#[test]
fn parameters() {
    let entry = |entry: &str| format!("<parameter name='E'><parameterEntry {entry}/></parameter>");
    let cases: [(&str, &[&str]); 13] = [
        (
            "<parameter name='U' defaultValue='{nothing}'/>",
            &["check-parameter-unused"],
        ),
        (
            "<parameter name='H' tags='hidden,Validate'/>",
            &["check-hidden-without-default"],
        ),
        (
            &entry("kind='ProviderPath' scope='setAcl' match='nowhere'"),
            &["check-provider-path-unmatched"],
        ),
        (
            &entry("kind='ProviderPath' scope='setAcl' match=''"),
            &["check-entry-empty"],
        ),
        (
            &entry("kind='TextFile' scope='b\\.ini$' match='x'"),
            &["check-scope-unmatched"],
        ),
        (
            &entry("kind='TextFile' scope='a\\.ini$' match='@TITLE@'"),
            &["check-match-unmatched"],
        ),
        (
            &entry("kind='XmlFile' scope='web\\.config$' match='//nothing'"),
            &["check-match-unmatched"],
        ),
        (
            &entry("kind='TextFilePosition' scope='a\\.ini$' match='1;1;1'"),
            &["check-text-file-position"],
        ),
        (
            &entry("kind='TextFilePosition' scope='a\\.ini$' match='9;1;1'"),
            &["check-text-file-position", "check-match-unmatched"],
        ),
        (
            &entry("kind='TextFile' scope='a\\.ini' match='@NAME@'"),
            &["check-scope-open"],
        ),
        (
            "<parameter name='Second' tags='iisapp'><parameterEntry kind='ProviderPath' scope='iisApp' match='App'/></parameter>",
            &["check-two-application-parameters"],
        ),
        (
            "<parameter name='Key' tags='Password'><parameterEntry kind='TextFile' scope='a\\.ini$' match='@NAME@'/></parameter>",
            &["check-secret-stored"],
        ),
        (
            "<parameter name='A' tags='SQL,DBAdminPassword'/><parameter name='B' tags='sql,dbadminpassword'/>\
             <parameter name='C' tags='MySQL,DBAdminPassword'/>",
            &["check-two-administrators"],
        ),
    ];
    for (parameters, expected) in cases {
        check(
            APP,
            Some(&format!("{PATHS}{parameters}")),
            &[("App/a.ini", "@NAME@"), ("App/web.config", "<a b='1'/>")],
            expected,
        );
    }
    check(
        APP,
        Some(&PATHS.replace("tags='iisApp'", "")),
        &[("App/a", "")],
        &["check-no-application-parameter"],
    );
}

#[test]
fn databases() {
    check(
        &format!("{APP}<dbFullSql path='a.sql'/>"),
        Some(&format!(
            "{PATHS}<parameter name='S' tags='SQL, dbServer'/><parameter name='C' tags='Hidden' defaultValue=''><parameterEntry kind='ProviderPath' scope='dbfullsql' match='.'/></parameter>\
             <parameter name='T'><parameterEntry kind='TextFile' scope='dbFullSql' match='PlaceHolder'/></parameter>"
        )),
        &[("App/a", ""), ("a.sql", "x PlaceHolder")],
        &["check-database-tags"],
    );
}

#[test]
fn a_match_that_is_there_as_plain_text_is_explained() {
    let parameters = format!(
        "{PATHS}<parameter name='E'><parameterEntry kind='TextFile' scope='a\\.ini$' match='$(NAME)'/></parameter>"
    );
    let report = run(APP, Some(&parameters), &[("App/a.ini", "x = $(NAME)")]);
    let help = report.parameters[0].help.as_deref().unwrap();
    assert!(help.ends_with("write `\\$\\(NAME\\)`"), "{help}");
}

#[test]
fn each_file_is_asked_for_once_and_only_in_a_scope() {
    let manifest = Source::from_text("Manifest.xml", format!("<m>{APP}</m>"));
    let (manifest, _) = Manifest::parse(&manifest).unwrap();
    let entries = "<parameterEntry kind='TextFile' scope='\\.ini$' match='none'/>".repeat(20);
    let xml = format!("<parameters>{PATHS}<parameter name='E'>{entries}</parameter></parameters>");
    let (parameters, _) = Parameters::parse(&Source::from_text("Parameters.xml", xml)).unwrap();
    let names: Vec<String> = (0..500)
        .map(|number| {
            format!(
                "App/{number}.{}",
                if number % 100 == 0 { "ini" } else { "py" }
            )
        })
        .collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let mut asked = Vec::new();
    PackageCheck::new(Layout::Gallery, &manifest)
        .parameters(Some(&parameters))
        .files(&names)
        .run(&mut |name| {
            asked.push(name.to_owned());
            Some(b"x".to_vec())
        });
    assert_eq!(
        asked,
        [
            "App/0.ini",
            "App/100.ini",
            "App/200.ini",
            "App/300.ini",
            "App/400.ini"
        ]
    );
}

#[test]
fn long_paths() {
    let manifest = Source::from_text("Manifest.xml", format!("<m>{APP}</m>"));
    let (manifest, _) = Manifest::parse(&manifest).unwrap();
    let (parameters, _) = Parameters::parse(&Source::from_text(
        "Parameters.xml",
        format!("<parameters>{PATHS}</parameters>"),
    ))
    .unwrap();
    let check = |root: &str, file_len: usize, folder_len: usize, expected: &[&str]| {
        let folder = format!("App/{}", "f".repeat(folder_len - 4));
        let file = format!("{folder}/{}", "x".repeat(file_len - folder_len - 1));
        let files = [file.as_str(), "App/short"];
        let report = PackageCheck::new(Layout::Gallery, &manifest)
            .parameters(Some(&parameters))
            .files(&files)
            .root(root)
            .run(&mut |_| None);
        assert_eq!(codes(&report), expected, "{root} {file_len} {folder_len}");
    };
    // `C:\inetpub\wwwroot\` has 19 characters, `D:\` 3.
    check(r"C:\inetpub\wwwroot", 240, 228, &[]);
    check(r"C:\inetpub\wwwroot", 241, 228, &["check-long-path"]);
    check(r"C:\inetpub\wwwroot", 240, 229, &["check-long-folder"]);
    check(
        r"C:\inetpub\wwwroot\",
        241,
        229,
        &["check-long-path", "check-long-folder"],
    );
    check(r"D:\", 256, 244, &[]);
    check(r"D:", 257, 244, &["check-long-path"]);
}

#[test]
fn files() {
    use FileKind::{Directory, File, Other, SymbolicLink};
    let check = |files: &[(&str, u64, FileKind)], expected: &[&str]| {
        let files: Vec<CheckedFile> = files
            .iter()
            .map(|(path, len, kind)| CheckedFile::new(*path, *len, *kind))
            .collect();
        let found = check_files(&files);
        assert!(found.iter().all(|problem| problem.help.is_some()));
        let found: Vec<&str> = found.iter().map(|problem| problem.code).collect();
        assert_eq!(found, expected, "{files:?}");
    };
    check(
        &[("App", 0, Directory), ("App/a", 2_147_483_647, File)],
        &[],
    );
    check(&[("App/a", 2_147_483_648, File)], &["check-file-too-large"]);
    for windows in [
        "App/nul",
        "App/a.",
        "App/a ",
        "App/a?",
        "App/COM1.txt",
        "App/x*y",
    ] {
        check(&[(windows, 1, File)], &["package-name-windows"]);
    }
    check(
        &[("App/a", 1, File), ("app/A", 1, File)],
        &["archive-name-duplicate"],
    );
    check(&[("App/link", 1, SymbolicLink)], &["archive-symbolic-link"]);
    check(&[("App/pipe", 0, Other)], &["archive-special-file"]);
    check(&[("../a", 1, File)], &["archive-name-escapes"]);
    let many: Vec<String> = (0..=65_535).map(|number| format!("App/{number}")).collect();
    let many: Vec<(&str, u64, FileKind)> = many.iter().map(|name| (&**name, 1, File)).collect();
    check(&many[..65_535], &[]);
    check(&many, &["check-too-many-files"]);
}

fn package(files: &[(&str, &str)]) -> Vec<u8> {
    let mut package = PackageWriter::new(Cursor::new(Vec::new()), Timestamp::default());
    for (name, text) in files {
        package.add(name, &mut text.as_bytes()).unwrap();
    }
    package.finish().unwrap().into_inner()
}

fn archive_codes(octets: &[u8], options: &CheckOptions) -> Vec<&'static str> {
    let check = check_archive(Cursor::new(octets), PackageLimits::default(), options).unwrap();
    codes(&check.report)
}

#[test]
fn package_files() {
    let manifest = format!("<m>{APP}</m>");
    let parameters = format!(
        "<parameters>{PATHS}<parameter name='N'><parameterEntry kind='TextFile' scope='\\\\a\\.ini$' match='@NAME@'/></parameter></parameters>"
    );
    let good = package(&[
        ("Manifest.xml", &manifest),
        ("Parameters.xml", &parameters),
        ("App/a.ini", "name = @NAME@, and again @NAME@ @NAME@ @NAME@"),
    ]);
    let mut options = CheckOptions::default();
    assert_eq!(archive_codes(&good, &options), [""; 0]);
    options.root = Some(format!("C:\\{}", "x".repeat(250)));
    assert_eq!(
        archive_codes(&good, &options),
        ["check-long-path", "check-long-folder"]
    );
    options.root = None;

    // The digest of the feed.
    options.sha1 = Some(msdeploy_pkg::sha1(&good[..]).unwrap().0);
    assert_eq!(archive_codes(&good, &options), [""; 0]);
    options.sha1 = Some(msdeploy_pkg::sha1(&b"other"[..]).unwrap().0);
    assert_eq!(archive_codes(&good, &options), ["check-sha1"]);
    // It hides nothing else that is wrong.
    let bare = package(&[("Manifest.xml", "<m><iisApp path='App'/></m>")]);
    assert_eq!(
        archive_codes(&bare, &options),
        [
            "check-no-set-acl",
            "check-provider-without-entry",
            "check-path-not-in-package",
            "check-sha1",
            "check-no-parameters"
        ]
    );
    options.sha1 = None;

    // Data that does not agree with its check sum, which nothing but reading it shows.
    let mut damaged = good;
    let at = damaged.windows(2).position(|two| two == b".i").unwrap();
    damaged[at + 20] ^= 0x55;
    assert_eq!(archive_codes(&damaged, &options).len(), 1);
    assert!(archive_codes(&damaged, &options)[0].starts_with("archive-entry-"));

    // Faults of the manifest and the parameters have their places in these.
    let bad = package(&[
        ("Manifest.xml", "<m><iisApp/></m>"),
        ("Parameters.xml", "<parameters><parameter/></parameters>"),
    ]);
    let check = check_archive(Cursor::new(bad), PackageLimits::default(), &options).unwrap();
    let errors: Vec<&Problem> = check.report.iter().filter(|p| p.is_error()).collect();
    assert!(errors.len() >= 2 && errors.iter().all(|problem| problem.span.is_some()));
    assert!(check.manifest.is_some() && check.parameters.is_some());

    let bad = package(&[("App/a", "x")]);
    assert_eq!(archive_codes(&bad, &options), ["archive-no-manifest"]);
    assert_eq!(archive_codes(b"no zip", &options), ["archive-not-zip"]);
}

#[test]
fn the_page_that_an_installer_opens() {
    let (paths, _) = PATHS.split_once("<parameter name='Start'").unwrap();
    let page = "<parameter name='P' defaultValue='{Path}/start' tags='appurl,Hidden'/>";
    let again = page.replace("'P'", "'Q'");
    for (parameters, file, expected) in [
        (String::new(), "App/a.py", &["check-no-start-page"][..]),
        (
            String::new(),
            "web.config",
            &["check-no-start-page", "check-path-not-in-package"],
        ),
        (
            String::new(),
            "App/data/index.html",
            &["check-no-start-page"],
        ),
        (String::new(), "App/Index.HTML", &[]),
        (String::new(), "app/web.config", &[]),
        (page.to_owned(), "App/a.py", &[]),
        (
            format!("{page}{again}"),
            "App/a.py",
            &["check-two-start-pages"],
        ),
    ] {
        let parameters = format!("{paths}{parameters}");
        let mut found = codes(&run(APP, Some(&parameters), &[(file, "")]));
        found.sort_unstable();
        assert_eq!(found, expected, "{file} {parameters}");
    }
}

#[test]
fn who_gets_access() {
    for (user, file, expected) in [
        ("", "App/web.config", None),
        (
            "anonymousAuthenticationUser",
            "App/web.config",
            Some("check-acl-anonymous"),
        ),
        ("ANONYMOUSAUTHENTICATIONUSER", "App/index.PHP", None),
        ("CONTOSO\\web", "App/index.php", Some("check-acl-user")),
    ] {
        let manifest = format!("<iisApp path='App'/><setAcl path='App/data' setAclUser='{user}'/>");
        let found = codes(&run(&manifest, Some(PATHS), &[(file, "")]));
        assert_eq!(found, expected.as_slice(), "{user} {file}");
    }
}

/// In msdeploy's own layout content is looked for, and measured, where the archive has it for the provider's path.
#[test]
fn content_in_the_layout_of_the_package_provider() {
    let check = |manifest: &str, files: &[&str], expected: &[&str]| {
        let source = Source::from_text("archive.xml", format!("<m>{manifest}</m>"));
        let (manifest, _) = Manifest::parse(&source).unwrap();
        let report = PackageCheck::new(Layout::Package, &manifest)
            .files(files)
            .root("C:\\r")
            .run(&mut |_| None);
        let about_content = [
            "check-path-not-in-package",
            "check-long-path",
            "check-long-folder",
        ];
        let found: Vec<&str> = codes(&report)
            .into_iter()
            .filter(|code| about_content.contains(code))
            .collect();
        assert_eq!(found, expected, "{source:?} {files:?}");
    };
    let app = r"<iisApp path='D:\projects\app'/>";
    check(app, &["Content/D_C/projects/app/x"], &[]);
    check(
        app,
        &["Content/D_C/projects/apple/x"],
        &["check-path-not-in-package"],
    );
    check(app, &["projects/app/x"], &["check-path-not-in-package"]);
    check(r"<filePath path='D:\a.txt'/>", &["Content/D_C/a.txt"], &[]);
    check(
        r"<filePath path='D:\a.txt'/>",
        &["Content/D_C/a.txt/x"],
        &["check-path-not-in-package"],
    );
    check(
        r"<contentPath path='D:\a.txt'/>",
        &["Content/D_C/a.txt"],
        &[],
    );
    // What `archive.xml` names by a connection string is elsewhere.
    check("<dbFullSql path='server=x'/>", &["Content/D_C/a.sql"], &[]);
    // `C:\r\app\` and 251 or 252 characters: 259 may be opened; where the content came from does not count.
    let file = |len: usize| format!("Content/D_C/projects/app/{}", "x".repeat(len));
    check(app, &[&file(250)], &[]);
    check(app, &[&file(251)], &["check-long-path"]);
    check(app, &[&format!("{}/y", file(239))], &["check-long-folder"]);
}
