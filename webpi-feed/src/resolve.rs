//! What to install, and in which order.
//!
//! WebPI's own order: what a product depends on comes before it; of an `or` a branch that is installed already is taken, else
//! the first whose products can be installed; a circle is an error.

use std::collections::{HashMap, HashSet};

use spanned_xml::nearest;

use crate::{Dependency, DependencyRule, Entry, Error, Feed, Installer, Machine};

/// Products and definitions that may need each other one after the other, nested `and` and `or` included.
const DEPTH_LIMIT: usize = 400;

/// What to install, in order.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Plan<'a> {
    /// The products, what is needed first; the last one is what was asked for.
    pub steps: Vec<Step<'a>>,
    /// Products that are needed and not installed, but cannot be taken from this feed.
    pub missing: Vec<Missing<'a>>,
}

/// A product to install.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Step<'a> {
    /// The product.
    pub entry: &'a Entry,
    /// The installer for the machine.
    pub installer: &'a Installer,
}

/// A product that is needed but cannot be taken from the feed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Missing<'a> {
    /// Its identifier.
    pub product_id: &'a str,
    /// The product that needs it.
    pub needed_by: &'a str,
    /// Whether the feed has it, but without an installer for the machine.
    pub in_feed: bool,
}

/// What to install to get `product_id`, in order.
///
/// `installed` says whether a product is there already; such products, and what only they need, are not in the plan. The
/// product that is asked for is in it even if it is installed: an application can be installed more than once.
///
/// ```
/// use spanned_xml::Source;
/// use webpi_feed::{Feed, Machine, installation_order};
///
/// let (feed, _) = Feed::read(&Source::from_text("feed.xml", r#"<feed xmlns="http://www.w3.org/2005/Atom">
///     <entry><productId>App</productId><dependency><productId>Python</productId></dependency>
///       <installers><installer><id>1</id><msDeploy/></installer></installers></entry>
///     <entry><productId>Python</productId>
///       <installers><installer><id>1</id><msDeploy/></installer></installers></entry>
///   </feed>"#))?;
/// let plan = installation_order(&feed, "App", &|_| false, &Machine::any()).unwrap();
/// let ids: Vec<&str> = plan.steps.iter().map(|step| step.entry.product_id.as_str()).collect();
/// assert_eq!(ids, ["Python", "App"]);
/// # Ok::<(), spanned_xml::Problems>(())
/// ```
///
/// # Errors
///
/// The feed has no such product, or none of its installers is for the machine; the dependencies go in a circle, refer to what
/// is not defined, are malformed, or nest too deep.
pub fn installation_order<'a>(
    feed: &'a Feed,
    product_id: &str,
    installed: &dyn Fn(&str) -> bool,
    machine: &Machine,
) -> Result<Plan<'a>, Error> {
    let entries = index(feed);
    let entry = entries
        .get(product_id.trim().to_ascii_lowercase().as_str())
        .copied()
        .ok_or_else(|| Error::UnknownProduct {
            product_id: product_id.to_owned(),
            nearest: nearest(
                product_id,
                feed.entries
                    .iter()
                    .map(|entry| entry.product_id.as_str())
                    .filter(|id| !id.is_empty()),
                3,
            )
            .into_iter()
            .map(str::to_owned)
            .collect(),
        })?;
    let mut resolver = Resolver {
        feed,
        entries,
        installed,
        machine,
        plan: Plan {
            steps: Vec::new(),
            missing: Vec::new(),
        },
        done: HashSet::new(),
        path: Vec::new(),
    };
    resolver.product(entry, true)?;
    Ok(resolver.plan)
}

/// The entries by identifier in lower case; of duplicates the first.
fn index(feed: &Feed) -> HashMap<String, &Entry> {
    let mut entries = HashMap::with_capacity(feed.entries.len());
    for entry in &feed.entries {
        entries
            .entry(entry.product_id.to_ascii_lowercase())
            .or_insert(entry);
    }
    entries
}

struct Resolver<'a, 'f> {
    feed: &'a Feed,
    entries: HashMap<String, &'a Entry>,
    installed: &'f dyn Fn(&str) -> bool,
    machine: &'f Machine,
    plan: Plan<'a>,
    /// Products and references that have been dealt with.
    done: HashSet<Node<'a>>,
    /// What is being dealt with, from what was asked for.
    path: Vec<Node<'a>>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Node<'a> {
    Product(&'a str),
    Reference(&'a str),
    /// A level of `and` or `or`, which counts for the depth only.
    Group,
}

impl<'a> Resolver<'a, '_> {
    fn enter(&mut self, node: Node<'a>) -> Result<(), Error> {
        if node != Node::Group
            && let Some(from) = self.path.iter().position(|other| *other == node)
        {
            let path = self.path[from..].iter().chain([&node]);
            return Err(Error::DependencyCycle {
                path: path
                    .filter_map(|node| match node {
                        Node::Product(name) | Node::Reference(name) => Some((*name).to_owned()),
                        Node::Group => None,
                    })
                    .collect(),
            });
        }
        if self.path.len() >= DEPTH_LIMIT {
            return Err(Error::TooDeep {
                product_id: self.current().to_owned(),
                limit: DEPTH_LIMIT,
            });
        }
        self.path.push(node);
        Ok(())
    }

    fn leave(&mut self, node: Node<'a>) {
        self.path.pop();
        if node != Node::Group {
            self.done.insert(node);
        }
    }

    /// The product whose dependency is being dealt with.
    fn current(&self) -> &'a str {
        self.path
            .iter()
            .rev()
            .find_map(|node| match node {
                Node::Product(product_id) => Some(*product_id),
                _ => None,
            })
            .unwrap_or_default()
    }

    fn product(&mut self, entry: &'a Entry, asked_for: bool) -> Result<(), Error> {
        let node = Node::Product(&entry.product_id);
        if self.done.contains(&node) {
            return Ok(());
        }
        let needed_by = self.current();
        self.enter(node)?;
        match entry.installer_for(self.feed, self.machine) {
            Some(installer) => {
                if let Some(dependency) = &entry.dependency {
                    self.dependency(dependency)?;
                }
                self.plan.steps.push(Step { entry, installer });
            }
            None if asked_for => {
                return Err(Error::NoInstaller {
                    product_id: entry.product_id.clone(),
                    machine: self.machine.to_string(),
                    offered: entry.offered(),
                });
            }
            None => self.plan.missing.push(Missing {
                product_id: &entry.product_id,
                needed_by,
                in_feed: true,
            }),
        }
        self.leave(node);
        Ok(())
    }

    fn dependency(&mut self, dependency: &'a Dependency) -> Result<(), Error> {
        match &dependency.rule {
            DependencyRule::Malformed => Err(Error::MalformedDependency {
                product_id: self.current().to_owned(),
            }),
            DependencyRule::Product(product_id) => self.needed(product_id),
            DependencyRule::IdRef(idref) => {
                let node = Node::Reference(idref);
                if self.done.contains(&node) {
                    return Ok(());
                }
                let Some(dependency) = self.feed.dependency(idref) else {
                    return Err(Error::UnknownReference {
                        product_id: self.current().to_owned(),
                        idref: idref.clone(),
                    });
                };
                self.enter(node)?;
                self.dependency(dependency)?;
                self.leave(node);
                Ok(())
            }
            DependencyRule::And(all) => {
                self.enter(Node::Group)?;
                for dependency in all {
                    self.dependency(dependency)?;
                }
                self.leave(Node::Group);
                Ok(())
            }
            DependencyRule::Or(all) => {
                let mut known = HashMap::new();
                let chosen = all
                    .iter()
                    .find(|branch| self.holds(branch, Question::Installed, 0, &mut known))
                    .or_else(|| {
                        let mut known = HashMap::new();
                        all.iter()
                            .find(|branch| self.holds(branch, Question::Installable, 0, &mut known))
                    })
                    .or_else(|| all.first());
                self.enter(Node::Group)?;
                if let Some(chosen) = chosen {
                    self.dependency(chosen)?;
                }
                self.leave(Node::Group);
                Ok(())
            }
        }
    }

    fn needed(&mut self, product_id: &'a str) -> Result<(), Error> {
        if (self.installed)(product_id) {
            return Ok(());
        }
        if let Some(entry) = self.entries.get(product_id.to_ascii_lowercase().as_str()) {
            return self.product(entry, false);
        }
        let known = |missing: &Missing<'_>| missing.product_id.eq_ignore_ascii_case(product_id);
        if !self.plan.missing.iter().any(known) {
            self.plan.missing.push(Missing {
                product_id,
                needed_by: self.current(),
                in_feed: false,
            });
        }
        Ok(())
    }

    /// Whether a product is in the plan already, or can be taken into it. One that is being dealt with cannot: it would be
    /// needed by itself.
    fn product_holds(&self, product_id: &str, question: Question) -> bool {
        let Some(entry) = self.entries.get(product_id.to_ascii_lowercase().as_str()) else {
            return false;
        };
        let node = Node::Product(&entry.product_id);
        if self.done.contains(&node) {
            let missing = &self.plan.missing;
            return !missing
                .iter()
                .any(|missing| missing.product_id == entry.product_id);
        }
        question == Question::Installable
            && !self.path.contains(&node)
            && entry.installer_for(self.feed, self.machine).is_some()
    }

    /// Whether a branch is installed, or can be. `known` keeps the answers for references, so that references to
    /// references are looked at once each.
    fn holds(
        &self,
        dependency: &'a Dependency,
        question: Question,
        depth: usize,
        known: &mut HashMap<&'a str, bool>,
    ) -> bool {
        if depth >= DEPTH_LIMIT {
            return false;
        }
        match &dependency.rule {
            DependencyRule::Malformed => false,
            DependencyRule::Product(product_id) => {
                (self.installed)(product_id) || self.product_holds(product_id, question)
            }
            DependencyRule::IdRef(idref) => {
                if let Some(&answer) = known.get(idref.as_str()) {
                    return answer;
                }
                // A reference that needs itself does not hold.
                known.insert(idref, false);
                let answer = self
                    .feed
                    .dependency(idref)
                    .is_some_and(|dependency| self.holds(dependency, question, depth + 1, known));
                known.insert(idref, answer);
                answer
            }
            DependencyRule::And(all) => all
                .iter()
                .all(|dependency| self.holds(dependency, question, depth + 1, known)),
            DependencyRule::Or(all) => all
                .iter()
                .any(|dependency| self.holds(dependency, question, depth + 1, known)),
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Question {
    Installed,
    Installable,
}
