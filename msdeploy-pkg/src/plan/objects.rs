//! The objects of one side as rules see them: skip directives, replacements and XPath.

use std::collections::{BTreeMap, HashSet};

use spanned_xml::{Document, Limits, Problem, Source, XmlWriter};

use super::SyncOptions;
use super::content::{ContentKind, ContentObject, ContentTree};
use crate::dotnet_regex::PatternFault;
use crate::skip_rule::{RuleObject, SkipAction, SkipRule};
use crate::xpath::Selected;

/// One side of a tree, its folders completed, sorted by path so that a folder comes before what is in it.
pub(crate) struct Objects<'t> {
    pub(crate) tree: &'t ContentTree,
    pub(crate) objects: BTreeMap<String, ContentObject>,
    /// For each rule with an `xPath`, by its place in the options: the paths that it selects.
    selected: BTreeMap<usize, HashSet<String>>,
}

/// What skip directives took out.
#[derive(Debug, Default)]
pub(crate) struct Taken {
    /// The objects that a rule is about, each with the rule.
    pub(crate) by_rule: Vec<(ContentObject, String)>,
    /// The paths of all that is gone, with what was inside.
    pub(crate) gone: Vec<String>,
}

/// The problem of a rule that cannot be evaluated.
pub(crate) fn rule_fault(rule: &str, fault: &PatternFault) -> Problem {
    Problem::error("regex-too-expensive", format!("the rule `{rule}`: {fault}"))
        .help("write the rule with a simpler regular expression")
}

impl<'t> Objects<'t> {
    pub(crate) fn new(
        tree: &'t ContentTree,
        list: &[ContentObject],
        options: &SyncOptions,
    ) -> Result<Self, Problem> {
        let mut objects = BTreeMap::new();
        for object in list {
            let mut parent = object.path.as_str();
            while let Some((above, _)) = parent.rsplit_once('/') {
                parent = above;
                if objects.contains_key(parent) {
                    break;
                }
                objects.insert(parent.to_owned(), ContentObject::directory(parent));
            }
            objects.insert(object.path.clone(), object.clone());
        }
        let mut side = Self {
            tree,
            objects,
            selected: BTreeMap::new(),
        };
        if options.skip.iter().any(|rule| rule.xpath.is_some()) {
            side.select(options)?;
        }
        Ok(side)
    }

    /// Evaluates the `xPath` of rules over the objects, written as `-verb:dump -xml` writes them.
    fn select(&mut self, options: &SyncOptions) -> Result<(), Problem> {
        let mut xml = XmlWriter::new("", "\n");
        let mut paths = vec![String::new()];
        xml.start(&self.tree.provider);
        xml.attribute("path", &self.tree.path);
        xml.start("dirPath");
        xml.attribute("path", &self.tree.path);
        let mut open: Vec<&str> = Vec::new();
        // In the order of a walk: a folder, all that is in it, then the next one.
        let mut walk: Vec<&String> = self.objects.keys().collect();
        walk.sort_by(|a, b| a.split('/').cmp(b.split('/')));
        for path in walk {
            let object = &self.objects[path];
            let parent = path.rsplit_once('/').map_or("", |(parent, _)| parent);
            while open.last().copied().unwrap_or_default() != parent && open.pop().is_some() {
                xml.end();
            }
            xml.start(object.kind.object_name());
            for (name, value) in attributes(object) {
                xml.attribute(name, &value);
            }
            if object.kind == ContentKind::File {
                xml.end();
            } else {
                open.push(path);
            }
            paths.push(path.clone());
        }
        for _ in 0..open.len() + 2 {
            xml.end();
        }
        let source = Source::from_text("objects", xml.finish());
        let limits = Limits::default();
        let document = Document::parse_with(&source, &limits)?;
        // The elements after the provider's own come in the order in which they were written.
        let starts: BTreeMap<usize, &String> = document
            .root()
            .descendants()
            .skip(1)
            .map(|element| element.start_tag.start)
            .zip(&paths)
            .collect();
        for (index, rule) in options.skip.iter().enumerate() {
            let Some(path) = &rule.xpath else { continue };
            let selected = path.select(&document).map_err(|fault| {
                Problem::error(
                    "xpath-too-expensive",
                    format!("the rule `{}`: {fault}", rule.text),
                )
                .help("name the elements on the way instead of `//` and `*`")
            })?;
            let paths = selected
                .into_iter()
                .filter_map(|selected| match selected {
                    Selected::Element(element) => starts.get(&element.start_tag.start),
                    _ => None,
                })
                .map(|&path| path.clone())
                .collect();
            self.selected.insert(index, paths);
        }
        Ok(())
    }

    /// The first rule that is about the object and has this action.
    pub(crate) fn rule<'o>(
        &self,
        object: &ContentObject,
        action: Option<SkipAction>,
        options: &'o SyncOptions,
    ) -> Result<Option<&'o SkipRule>, Problem> {
        let mut values = None;
        for (index, rule) in options.skip.iter().enumerate() {
            if rule.action != action
                || self
                    .selected
                    .get(&index)
                    .is_some_and(|paths| !paths.contains(&object.path))
            {
                continue;
            }
            let (absolute, attributes) = values
                .get_or_insert_with(|| (self.tree.absolute(&object.path), attributes(object)));
            let seen = RuleObject {
                name: object.kind.object_name(),
                key: file_name(&object.path),
                absolute_path: absolute,
                attributes,
            };
            if rule
                .matches(&seen)
                .map_err(|fault| rule_fault(&rule.text, &fault))?
            {
                return Ok(Some(rule));
            }
        }
        Ok(None)
    }

    /// Takes out what skip directives are about, with all that is inside.
    pub(crate) fn take_skipped(&mut self, options: &SyncOptions) -> Result<Taken, Problem> {
        let mut taken = Taken::default();
        for object in self.objects.values() {
            if let Some(rule) = self.rule(object, None, options)? {
                taken.by_rule.push((object.clone(), rule.text.clone()));
            }
        }
        for (object, _) in &taken.by_rule {
            self.objects.remove(&object.path);
            taken.gone.push(object.path.clone());
            let inside = format!("{}/", object.path);
            let below: Vec<String> = self
                .objects
                .range(inside.clone()..)
                .take_while(|(path, _)| path.starts_with(&inside))
                .map(|(path, _)| path.clone())
                .collect();
            for path in below {
                self.objects.remove(&path);
                taken.gone.push(path);
            }
        }
        Ok(taken)
    }
}

fn file_name(path: &str) -> &str {
    path.rsplit_once('/').map_or(path, |(_, name)| name)
}

fn attributes(object: &ContentObject) -> Vec<(&'static str, String)> {
    let mut attributes = vec![("path", file_name(&object.path).to_owned())];
    match object.kind {
        ContentKind::File => {
            attributes.push(("size", object.size.to_string()));
            attributes.push(("attributes", "Archive".to_owned()));
        }
        ContentKind::Directory => attributes.push(("attributes", "Directory".to_owned())),
    }
    attributes
}
