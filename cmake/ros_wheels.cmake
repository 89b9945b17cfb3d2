# Repairs for building over the ROS 2 wheels of PyPI; injected through
# CMAKE_PROJECT_espnet_ros_INCLUDE, so that CMakeLists.txt stays ordinary.

# The wheels export include directories of the image that they were built in, and
# CMake refuses targets whose include directories are missing.
function(prune_missing_include_dirs)
  get_property(_targets DIRECTORY PROPERTY IMPORTED_TARGETS)
  list(FILTER _targets INCLUDE REGEX "__rosidl_generator_py$")
  foreach(_target IN LISTS _targets)
    get_target_property(_dirs ${_target} INTERFACE_INCLUDE_DIRECTORIES)
    list(FILTER _dirs EXCLUDE REGEX "^/opt/python/")
    set_target_properties(${_target} PROPERTIES INTERFACE_INCLUDE_DIRECTORIES "${_dirs}")
  endforeach()
endfunction()

# CMake refuses to export include directories that lie in the source tree, as those of
# numpy do where the virtual environment is ./.venv. They serve the build alone.
function(hide_source_tree_include_dirs)
  set(_target ${PROJECT_NAME}__rosidl_generator_py)
  get_target_property(_dirs ${_target} INTERFACE_INCLUDE_DIRECTORIES)
  list(TRANSFORM _dirs REPLACE "^(${PROJECT_SOURCE_DIR}/.+)$" "$<BUILD_INTERFACE:\\1>")
  set_target_properties(${_target} PROPERTIES INTERFACE_INCLUDE_DIRECTORIES "${_dirs}")
endfunction()

cmake_language(DEFER CALL prune_missing_include_dirs)
cmake_language(DEFER CALL hide_source_tree_include_dirs)
