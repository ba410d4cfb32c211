//! Web Deploy (MSDeploy) packages: manifest, parameters, provider options, reading and assembly.
